"""The dated number of a newsletter; pure."""
