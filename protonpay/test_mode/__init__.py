"""In a sandbox: have happen to one's own things what is rare, or what others would do (ADR 42)."""
