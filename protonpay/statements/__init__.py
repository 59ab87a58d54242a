"""What an account was at the beginning of a month, all that moved in it, and what it was then."""
