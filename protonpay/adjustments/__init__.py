"""Corrections of the book by people: proposed by one, posted by another."""
