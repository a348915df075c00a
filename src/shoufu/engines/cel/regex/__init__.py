"""Regular expressions of RE2's language, matched in a time that no pattern and no text can blow up.

Patterns come from rule authors, texts from devices; Python's `re` alone could be kept busy for years by
`(a+)+b` on a text of forty letters.
"""

from shoufu.engines.cel.regex.pattern import Pattern, compile_pattern
from shoufu.engines.cel.regex.tree import PatternError

__all__ = ["Pattern", "PatternError", "compile_pattern"]
