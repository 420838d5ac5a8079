"""A story's picture as a file that every mail program shows: cropped, small, kept by us."""
