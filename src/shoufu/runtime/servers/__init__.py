"""The embedded servers: PostgreSQL and NATS, from wheels."""
