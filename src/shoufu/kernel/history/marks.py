"""The cases of a span, each with the moves that make its state at any moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case, CaseEvent

VIEW = "cases.view"
MOST = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """A case on the map: from `opened_at`, known since `known_at`; `moves` are (at, known, state) in order."""

    case: Case
    moves: Sequence[tuple[datetime, datetime, str]]


def between(actor: Actor, path: str, since: datetime, until: datetime) -> list[Mark]:
    """Cases that were open at some moment of (since, until], as known then or learned since; most urgent first.

    A state comes from the last event that changed it. Two queries, at most 500 cases.
    """
    moves = CaseEvent.objects.filter(kind__in=list(cases.STATE_AFTER))
    own = moves.filter(case=OuterRef("pk"))
    before = own.filter(at__lte=since).order_by("-at", "-id").values("kind")[:1]
    moved = own.filter(Q(at__gt=since, at__lte=until) | Q(known__gt=since, known__lte=until))
    still = [kind for kind, state in cases.STATE_AFTER.items() if state in Case.OPEN]
    rows = cases.visible(actor).filter(place__path__startswith=path, opened_at__lte=until)
    rows = rows.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=since) | Q(state__in=Case.OPEN))
    rows = rows.annotate(before=Subquery(before)).filter(Q(before__in=still) | Exists(moved))
    found = list(rows.select_related("place", "device").order_by("severity_rank", "-opened_at", "-id")[:MOST])
    steps: dict[int, list[tuple[datetime, datetime, str]]] = {case.pk: [] for case in found}
    listed = moves.filter(case__in=found).order_by("at", "id").values_list("case_id", "at", "known", "kind")
    for case, at, known, kind in listed:
        steps[case].append((at, known, cases.STATE_AFTER[kind]))
    return [Mark(case, steps[case.pk]) for case in found]


def state_at(mark: Mark, at: datetime, known: datetime | None = None) -> str:
    """The case's state at a moment, as known at `known` (default: at that moment); empty where it was not there yet."""
    seen = known or at
    if mark.case.opened_at > at or mark.case.known_at > seen:
        return ""
    state = str(Case.State.NEW)
    for moved, learned, after in mark.moves:
        if moved <= at and learned <= seen:
            state = after
    return state


def as_dict(mark: Mark) -> dict[str, Any]:
    """For JSON: times in milliseconds since 1970, the position of the device or else of the place."""
    case = mark.case
    spot = case.device if case.device is not None and case.device.longitude is not None else case.place
    return {
        "id": case.pk,
        "number": case.number,
        "title": case.title,
        "title_en": case.title_en,
        "severity": case.severity,
        "place": case.place_id,
        "path": case.place.path,
        "longitude": spot.longitude,
        "latitude": spot.latitude,
        "device": case.device_id,
        "opened": _ms(case.opened_at),
        "known": _ms(case.known_at),
        "moves": [[_ms(at), _ms(known), state] for at, known, state in mark.moves],
    }


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
