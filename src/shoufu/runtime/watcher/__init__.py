"""Watching cameras: decode, motion gate, detect, track, observe; snapshots and clips around what happens."""
