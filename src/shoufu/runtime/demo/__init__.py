"""The demo district: its data, its simulated devices, and one command that shows the whole product."""
