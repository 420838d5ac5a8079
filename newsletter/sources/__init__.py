"""Where stories and their reads come from."""
