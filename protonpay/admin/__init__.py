"""What operators do: every act asks for a reason and stands in the audit log, or was not done."""
