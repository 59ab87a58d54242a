"""Everything embedded: services, chains, simulators and our processes under one supervisor."""
