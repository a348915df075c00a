from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import RANK, case_kind, limits
from shoufu.kernel.cases.models import Case, CaseEvent, Severity
from shoufu.kernel.cases.raising import take_numbers
from shoufu.kernel.cases.services.moves import say
from shoufu.kernel.cases.telling import tell
from shoufu.kernel.places.models import Place


@dataclass(frozen=True)
class CaseReport:
    """A case that a person reports: what, where, how urgent."""

    place_id: int
    title: str
    severity: str = Severity.MEDIUM
    kind: str = "manual"
    text: str = ""


@transaction.atomic
def report(actor: Actor, draft: CaseReport) -> Case:
    """A person raises a case by hand. Refuses an empty title and places where the actor may not handle cases."""
    place = limit(Place.objects.all(), actor, "cases.handle", "path").filter(pk=draft.place_id).first()
    if place is None:
        raise Invalid.one("place", _("Choose a place where you may handle cases."))
    if not draft.title.strip():
        raise Invalid.one("title", _("Say in a few words what happened."))
    if draft.severity not in RANK:
        raise Invalid.one("severity", _("Choose critical, high, medium or low."))
    now, kind = timezone.now(), case_kind(draft.kind)
    acknowledge_by, resolve_by = limits(kind, draft.severity, now)
    case = Case.objects.create(
        number=take_numbers([timezone.localdate()])[0],
        kind=draft.kind,
        title=draft.title.strip()[:160],
        title_en=draft.title.strip()[:160],
        severity=draft.severity,
        severity_rank=RANK[draft.severity],
        place=place,
        opened_at=now,
        known_at=now,
        last_at=now,
        acknowledge_by=acknowledge_by,
        resolve_by=resolve_by,
        due_at=acknowledge_by,
        role=kind.role,
    )
    say(case, CaseEvent.Kind.RAISED, actor, draft.text)
    record(actor, Act("cases.report", case, place.pk, data={"number": case.number}))
    tell(actor, "case.raised", [(case, (kind.role,))])
    live.publish([case], "raised")
    return case
