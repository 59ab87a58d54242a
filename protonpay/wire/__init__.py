"""The only speaker of HTTP outward."""
