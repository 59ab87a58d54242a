"""What an account may do and what it costs."""
