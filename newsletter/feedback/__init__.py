"""What comes back from a mail: clicks, so far."""
