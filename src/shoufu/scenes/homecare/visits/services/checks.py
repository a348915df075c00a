"""Whether a visit can still take place as it was booked."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.apart import apart
from shoufu.kernel.booking.models import Override
from shoufu.scenes.homecare.register import facts
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.eligibility import Reason, usable
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits import telling, words
from shoufu.scenes.homecare.visits.history import write_down
from shoufu.scenes.homecare.visits.models import Stop, Visit
from shoufu.scenes.homecare.visits.standing import standing

log = logging.getLogger(__name__)
AHEAD, BEHIND = timedelta(days=31), timedelta(hours=12)
SOON = timedelta(days=1)
"""From how long before its day somebody must be found for a visit."""


@dataclass(frozen=True)
class Objection:
    """Why a visit cannot take place: a reason, and whose it is where it is one who was to come."""

    reason: Reason
    practitioner: Practitioner | None = None

    @property
    def text(self) -> str:
        """In the reader's language."""
        said = words.sentence(self.reason)
        return f"{self.practitioner.person.name}: {said}" if self.practitioner is not None else said


def check_before(visit: Visit, at: datetime) -> list[Objection]:
    """Everything against a visit that was booked, at a moment: what was prescribed and assessed, the patient, the
    institution, and the licences and absences of who is to come, by the days of their places; or that nobody is. The
    caller checked the right."""
    found = standing(visit.patient, visit.service, visit.prescription, leaving=visit.pk, moment=at)
    against = [Objection(one) for one in found.against(at, visit.version)]
    day = register.day_at(visit.institution.place, at)
    stops = list(visit.stops.select_related("practitioner__person").order_by("task"))
    sent = [stop.practitioner for stop in stops]
    against += [Objection(one, who) for who in sent for one in usable(facts.practice(who), day)]
    return against + (_away(stops) if stops else _nobody(visit))


def _away(stops: Sequence[Stop]) -> list[Objection]:
    """Those of who is to come who are absent at that time, whatever the plan says."""
    resources = [stop.practitioner.resource_id for stop in stops]
    rows = Override.objects.filter(resource__in=resources, available=False)
    spans = [(row.resource_id, row.starts_at, row.ends_at) for row in rows.filter(ends_at__gt=stops[0].span.lower)]
    return [
        Objection(Reason("absent"), stop.practitioner)
        for stop in stops
        if any(
            who == stop.practitioner.resource_id and start < stop.span.upper and stop.span.lower < end
            for who, start, end in spans
        )
    ]


def _nobody(visit: Visit) -> list[Objection]:
    """That it is booked and nobody is sent, once its day is near: until then a coordinator still plans."""
    near = visit.day <= register.day_at(visit.institution.place, timezone.now()) + SOON
    open_ = visit.state == Visit.State.BOOKED and near
    return [Objection(Reason("nobody_assigned"))] if open_ else []


def codes_of(objections: Sequence[Objection]) -> list[str]:
    """Their codes, each once, as they are kept."""
    return sorted({one.reason.code for one in objections})


def check_ahead(now: datetime | None = None, most: int = 2000) -> int:
    """Every hour: visits that are booked and can no longer take place are marked, and told to the coordinator and the
    patient; those that can again are unmarked. Returns how many changed."""
    moment = now or timezone.now()
    rows = Visit.objects.filter(
        state=Visit.State.BOOKED, starts_at__gte=moment - BEHIND, starts_at__lt=moment + AHEAD
    ).select_related(
        "patient__person", "patient__place", "patient__institution__place", "service", "version", "prescription",
        "institution__place", "place",
    )  # fmt: skip
    found = {row.pk: row for row in rows.order_by("starts_at")[:most]}
    return apart(log, "checking visit", found, lambda number: _checked(found[number], moment))


@transaction.atomic
def _checked(visit: Visit, moment: datetime) -> bool:
    codes = codes_of(check_before(visit, max(moment, visit.starts_at)))
    if codes == visit.blocked:
        return False
    row = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    if row.state != Visit.State.BOOKED:
        return False
    visit.blocked, visit.blocked_at = codes, moment if codes else None
    visit.changed = row.changed + 1
    visit.save(update_fields=["blocked", "blocked_at", "changed"])
    write_down(SYSTEM, visit, "block" if codes else "unblock", codes=codes)
    if codes:
        telling.blocked(visit)
    return True
