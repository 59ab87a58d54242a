"""Events told to the integrator's server."""
