"""The settings at the desk: forms made of the models, so that every key is there by itself."""
