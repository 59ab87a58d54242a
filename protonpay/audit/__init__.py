"""What operators did: who, what, why, before and after; append-only and hash-chained."""
