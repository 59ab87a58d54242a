"""Business accounts: the people who act for an account, and what each of them may."""
