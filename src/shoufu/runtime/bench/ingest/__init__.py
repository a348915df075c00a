"""``shoufu bench ingest``: how many observations a second become durable, against plain COPY."""
