"""In a sandbox: be paid by a wallet outside, have one's identity check decided."""
