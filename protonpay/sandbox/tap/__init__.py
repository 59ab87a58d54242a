"""Tap Payments, simulated from its documentation: ``python -m protonpay.sandbox.tap``."""
