"""The public pages and the preview."""
