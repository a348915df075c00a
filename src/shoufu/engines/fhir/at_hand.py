"""Definitions that are judged by beside those of R4: what stands among the files, in the same bundle, or contained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .compiling import compile_extension
from .definitions import Extension

Json = dict[str, Any]
Known = Callable[[str], Json | None]
"""Gives the questionnaire of a canonical (``url`` or ``url|version``), None for one that it does not have."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """Questionnaires by a function; code systems, profiles of resources and definitions of extensions by URL."""

    questionnaires: Known | None = None
    code_systems: dict[str, Json] = field(default_factory=dict)
    profiles: dict[str, Json] = field(default_factory=dict)
    extensions: dict[str, Extension] = field(default_factory=dict)


def at_hand(resources: Iterable[Json], questionnaires: Known | None = None) -> AtHand:
    """What resources of right shape define; of two with one URL the later counts."""
    found = AtHand(questionnaires)
    for resource in resources:
        url = resource.get("url")
        if not isinstance(url, str):
            continue
        if resource["resourceType"] == "CodeSystem":
            found.code_systems[url] = resource
        elif resource["resourceType"] == "StructureDefinition" and resource.get("derivation") == "constraint":
            if resource.get("type") == "Extension":
                found.extensions[url] = compile_extension(resource)
            elif resource.get("kind") == "resource":
                found.profiles[url] = resource
    return found
