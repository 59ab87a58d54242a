"""A FreedomPay shop that is not there: forms in, XML out, every message signed."""
