"""What dragging asks: looked up by the services' own checks, nothing is written."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.scenes.homecare.planning import days, offers, selectors, words
from shoufu.scenes.homecare.planning.running import running
from shoufu.scenes.homecare.planning.services import stops
from shoufu.scenes.homecare.planning.services.stops import Wish, as_dict
from shoufu.scenes.homecare.register.models import ServiceVersion


def who(actor: Actor, visit_id: int, task: int = 0) -> list[Mapping[str, Any]]:
    """Of everybody on duty: whether they can do a task of a visit, from when, or why not. The others of a double visit
    stay who they are."""
    visit = selectors.visit(actor, visit_id)
    count = 1 if visit.version.second == ServiceVersion.Second.NONE else 2
    if not 0 <= task < count:
        raise Invalid.one("task", _("This service has %(count)s.") % {"count": count})
    now = timezone.now()
    day = stops.as_asked(running(days.load(visit.institution, visit.day, now=now), now).day, visit, now)
    known: list[int | None] = [None] * count
    for stop in visit.stops.all():
        known[stop.task] = stop.practitioner_id if stop.task != task else None
    found = offers.by_person(day, visit, task, known)
    return [
        {
            "practitioner": pk,
            "possible": start is not None,
            "clock": words.clock(day, start) if start else "",
            "text": text,
        }
        for pk, (start, text) in found.items()
    ]


def checked(actor: Actor, visit_id: int, wish: Wish) -> dict[str, Any]:
    """Whether a visit can be given so, as data."""
    day, answer = stops.answered(actor, visit_id, wish)
    return {
        "possible": answer.fit is not None,
        "fit": as_dict(day, answer.fit) if answer.fit else None,
        "reasons": [one.as_dict() for one in answer.reasons],
        "near": [as_dict(day, one) for one in answer.near],
    }
