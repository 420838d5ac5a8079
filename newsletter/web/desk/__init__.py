"""The editors' desk: its pages, who may see them, and how one comes in."""
