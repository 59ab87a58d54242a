"""Whether a person is who they say: a case per user, decided by an operator."""
