"""Read number plates in photos and match readings against a register."""
