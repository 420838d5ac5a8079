"""Scenes that the demo paper's pictures show, drawn with Pillow from a seed."""
