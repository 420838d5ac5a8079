"""What may stop an issue."""
