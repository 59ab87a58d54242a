"""Keys with which an integrator's server speaks for an account."""
