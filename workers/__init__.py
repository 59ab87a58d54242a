"""Worker processes: thin entry points that parse ids and call one service."""
