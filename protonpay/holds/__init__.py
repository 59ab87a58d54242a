"""What is on hold because an address is listed, whichever way it was going."""
