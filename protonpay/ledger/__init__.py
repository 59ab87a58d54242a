"""The book: knows no HTTP, no chain and no provider."""
