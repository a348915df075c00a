"""What the log takes in. Everything beyond is refused with an error that names the limit."""

from datetime import timedelta

MAX_BODY = 1 << 20
"""Bytes of one request or MQTT message."""
MAX_ITEMS = 1_000
"""Observations in one request or MQTT message."""
MAX_RESULT = 16 << 10
"""Bytes of one `result` as JSON."""
MAX_DEPTH = 8
"""Levels of objects and arrays inside `result`."""
MAX_FEATURE = 200
"""Characters of `featureOfInterest`."""
MAX_AGE = timedelta(days=30)
"""How old an observation may be when it arrives."""
MAX_AHEAD = timedelta(minutes=5)
"""How far a device's clock may run ahead."""
PARTITIONS_AHEAD = 3
"""Day partitions kept ready in the future."""
