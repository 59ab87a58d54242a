"""Which ways for money are open: a switch for each network and card provider."""
