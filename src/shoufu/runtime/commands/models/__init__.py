"""Models and demo footage."""
