"""Where a user's money may go: an address book that can be made the only way out."""
