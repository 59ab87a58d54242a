"""People who run an installation: apart from its clients, each with one role."""
