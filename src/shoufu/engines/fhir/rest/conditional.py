"""Conditional create (http://hl7.org/fhir/R4/http.html#ccreate): ``If-None-Exist`` and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from ..issues import Issue
from .parameters import Search, SearchRefused, read


@dataclass(frozen=True, slots=True)
class Conditional:
    """What to do: create (201), give back the one that is there (200), or refuse for there are several (412)."""

    status: int
    existing: str | None = None
    issue: Issue | None = None


def condition(kind: str, header: str) -> Search:
    """The search in an ``If-None-Exist`` header. It is strict: an ignored parameter would find what was not meant."""
    query = header.partition("?")[2] if header.startswith(f"{kind}?") else header
    search = read(kind, parse_qsl(query, keep_blank_values=True), strict=True)
    if not search.criteria:
        raise SearchRefused((Issue("If-None-Exist", "If-None-Exist holds no criterion", "required"),))
    return search


def decide(matches: list[str]) -> Conditional:
    """What becomes of the create when these ids meet its condition."""
    if not matches:
        return Conditional(201)
    if len(matches) == 1:
        return Conditional(200, matches[0])
    message = f"{len(matches)} resources meet If-None-Exist: make it more precise"
    return Conditional(412, None, Issue("If-None-Exist", message, "multiple-matches"))
