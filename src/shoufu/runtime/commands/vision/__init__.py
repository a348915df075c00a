"""Vision: watch a file, measure the stages."""
