"""What the simulators of card providers share: state, clock, faults, callbacks, the page."""
