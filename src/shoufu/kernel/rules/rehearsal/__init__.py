"""Rules tried on what was recorded, at full speed and without touching live state."""
