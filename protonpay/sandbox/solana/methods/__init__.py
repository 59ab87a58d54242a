"""The RPC methods, by what they speak of."""
