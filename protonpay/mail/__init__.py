"""Letters to people: written in a transaction, sent by a worker, in the reader's language."""
