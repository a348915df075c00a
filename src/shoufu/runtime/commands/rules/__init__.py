"""Rules: rehearse them, try their conditions."""
