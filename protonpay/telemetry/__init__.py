"""What the program says of itself: structured logs and metrics."""
