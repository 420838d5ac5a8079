"""Bootstrap config and the settings file."""
