"""Other people's servers, simulated over their own protocols."""
