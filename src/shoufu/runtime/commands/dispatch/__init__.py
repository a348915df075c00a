"""Plan home care visits: routing and scheduling with skills, windows and double services."""
