"""Addresses, consent, and who may be mailed."""
