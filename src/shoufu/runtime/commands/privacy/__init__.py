"""Erase a person everywhere, and prove it."""
