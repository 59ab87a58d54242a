"""What programs asked: each request of an API key, for who writes the program (ADR 30)."""
