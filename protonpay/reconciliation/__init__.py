"""The book compared with the chains and the card providers, all the time."""
