"""A chat in Telegram in which an account's owner is told what letters tell, beside the letters."""
