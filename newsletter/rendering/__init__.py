"""An issue as HTML and text, once, with slots for the reader."""
