"""The client portal ``/app``: a client of the public API like any other, in the same process."""
