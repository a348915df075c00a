from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, FollowUp
from shoufu.scenes.homecare.careplans.services.common import FOLLOW_UP, act, locked, writer
from shoufu.scenes.homecare.register.services.common import sealed

MOST_DAYS = 366


@dataclass(frozen=True)
class FollowUpDraft:
    """What a practitioner found and did; `next_day` is worked out from the guideline where it is None."""

    way: str
    adherence: str
    found: str
    measures: str = ""
    next_day: date | None = None


@dataclass(frozen=True)
class FollowedUp:
    """A follow-up, and whether the guideline asks for a doctor now: two in a row found the goals missed."""

    row: FollowUp
    needs_doctor: bool


def next_day(plan: CarePlan) -> tuple[date, str]:
    """When the guideline asks again, by how the goals stand now, and its clause."""
    guideline = selectors.guideline_of(plan)
    wanted = guideline.follow_up["out" if plan.control == CarePlan.Control.OUT else "in"]
    return selectors.today_of(plan.patient) + timedelta(days=wanted.days), wanted.clause


@transaction.atomic
def add(actor: Actor, plan_id: int, draft: FollowUpDraft) -> FollowedUp:
    """Note a follow-up, and when the next is due. As a verified practitioner of the institution."""
    seen = selectors.plan(actor, plan_id)
    require_anywhere(actor, selectors.WRITE)
    author = writer(actor, seen.patient)
    plan = locked(seen.pk)
    today = selectors.today_of(plan.patient)
    day = draft.next_day or next_day(plan)[0]
    _check(draft, day, today)
    document = {"found": draft.found.strip()[:2000], "measures": draft.measures.strip()[:2000]}
    before = FollowUp.objects.filter(plan=plan).order_by("-at", "-pk").values_list("control", flat=True).first()
    row = FollowUp.objects.create(
        plan=plan,
        practitioner=author,
        at=timezone.now(),
        way=draft.way,
        adherence=draft.adherence,
        control=plan.control,
        document=sealed(plan.patient.person_id, document, FOLLOW_UP),
        next_day=day,
    )
    plan.next_day = day
    plan.save(update_fields=["next_day"])
    record(actor, act("homecare.followup.add", row, plan.patient))
    out = CarePlan.Control.OUT
    return FollowedUp(row, before == out and plan.control == out)


def _check(draft: FollowUpDraft, day: date, today: date) -> None:
    errors = []
    for name, given, allowed in (
        ("way", draft.way, FollowUp.Way.values),
        ("adherence", draft.adherence, FollowUp.Adherence.values),
    ):
        if given not in allowed:
            errors.append(FieldError(name, _("Use one of: %(kinds)s.") % {"kinds": ", ".join(allowed)}))
    if not draft.found.strip():
        errors.append(FieldError("found", _("Say what you found; they can read it.")))
    if not today < day <= today + timedelta(days=MOST_DAYS):
        errors.append(FieldError("next_day", _("Must be after today and within a year.")))
    if errors:
        raise Invalid(*errors)
