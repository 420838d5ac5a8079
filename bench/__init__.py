"""Figures of speed and memory, printed by `make bench` and never asserted."""
