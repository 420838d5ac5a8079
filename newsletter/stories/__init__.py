"""What we believe of a story."""
