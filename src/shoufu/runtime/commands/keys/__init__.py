"""The key ring that personal data is encrypted with."""
