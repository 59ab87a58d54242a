"""What a person should see: what happened in an account, and what stands there to be mended."""
