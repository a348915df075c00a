"""Break things on purpose and count what was lost."""
