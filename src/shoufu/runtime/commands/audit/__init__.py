"""The audit log: prove it whole, take its signed roots away."""
