"""What a FHIR REST interface needs beside the check, independent of any framework or store."""

from . import matching, values
from .batches import Answer, BatchEntry, answered, batch, result_bundle
from .conditional import Conditional, decide
from .parameters import Criterion, Include, Search, SearchRefused, read, told

__all__ = [
    "Answer",
    "BatchEntry",
    "Conditional",
    "Criterion",
    "Include",
    "Search",
    "SearchRefused",
    "answered",
    "batch",
    "decide",
    "matching",
    "read",
    "result_bundle",
    "told",
    "values",
]
