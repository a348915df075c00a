"""The questionnaires, as versioned data: `<code>-<version>.json`. A version that was used is never changed; a new one
gets the next number."""

from functools import cache
from pathlib import Path

from django.utils.translation import get_language

from shoufu.engines.scales import Scale, load


@cache
def all_versions() -> dict[tuple[str, int], Scale]:
    """Every version of every questionnaire, by code and number."""
    read = [load(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))]
    return {(one.code, one.version): one for one in read}


def newest() -> dict[str, Scale]:
    """The newest version of each questionnaire, by code."""
    return {code: scale for (code, _number), scale in sorted(all_versions().items())}


def label(scale: Scale) -> str:
    """Its name in the reader's language."""
    return scale.name_en if english() else scale.name


def english() -> bool:
    return (get_language() or "").startswith("en")
