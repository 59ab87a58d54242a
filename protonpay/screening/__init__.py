"""Whether an address is one that money may not come from or go to."""
