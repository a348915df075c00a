"""Models and demo footage: what there is, bringing it in, and where it lies."""

from .install import ModelError, State, cache_directory, find, install, path, state
from .manifest import BY_NAME, ENTRIES, Entry

__all__ = [
    "BY_NAME",
    "ENTRIES",
    "Entry",
    "ModelError",
    "State",
    "cache_directory",
    "find",
    "install",
    "path",
    "state",
]
