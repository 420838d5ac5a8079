"""Which stories, and why; pure."""
