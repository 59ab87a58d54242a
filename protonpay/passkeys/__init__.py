"""Passkeys: keys on people's devices that sign in, or stand in for a code of an app."""
