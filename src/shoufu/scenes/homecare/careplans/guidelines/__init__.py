"""The guidelines, as versioned data: `<code>-<version>.json`. A version that a plan follows is never changed; a new one
gets the next number."""

from functools import cache
from pathlib import Path

from django.utils.translation import get_language

from shoufu.engines.chronic import Guideline, load


@cache
def all_versions() -> dict[tuple[str, int], Guideline]:
    """Every version of every guideline, by code and number."""
    read = [load(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))]
    return {(one.code, one.version): one for one in read}


def newest() -> dict[str, Guideline]:
    """The newest version of each guideline, by code."""
    return {code: found for (code, _number), found in sorted(all_versions().items())}


def english() -> bool:
    return (get_language() or "").startswith("en")


def label(found: Guideline) -> str:
    """Its name in the reader's language."""
    return found.name_en if english() else found.name
