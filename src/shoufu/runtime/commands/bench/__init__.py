"""Measure the product on this machine."""
