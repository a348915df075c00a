from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import STEPS, Step, due
from shoufu.kernel.cases.models import Case, CaseEvent


def locked(actor: Actor, case_id: int) -> Case:
    """The case, locked for this transaction; refuses where the actor may not see (NotFound) or handle it."""
    rows = limit(Case.objects.select_related("place"), actor, "cases.view")
    case = rows.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": case_id})
    require(actor, "cases.handle", case.place)
    return case


def _meanwhile(case: Case) -> Conflict:
    """Who was first and what they did, in the reader's words, with the case as it is now."""
    last = case.events.exclude(kind__in=[CaseEvent.Kind.NOTICE, CaseEvent.Kind.EVIDENCE]).order_by("-id").first()
    words = {
        "who": last.actor if last else "",
        "what": last.get_kind_display() if last else case.get_state_display(),
        "state": case.get_state_display(),
    }
    return Conflict(
        _("%(who)s was first: “%(what)s”. The case is now “%(state)s”; nothing of yours was changed.") % words,
        version=case.version,
        state=case.state,
        by=words["who"],
    )


def check(case: Case, version: int | None, step: Step) -> None:
    """Refuse (Conflict) when somebody changed the case meanwhile, or its state does not allow the step."""
    if version is not None and case.version != version:
        raise _meanwhile(case)
    if case.state not in step.allowed:
        raise Conflict(
            _("This cannot be done to a case that is “%(state)s”.") % {"state": case.get_state_display()},
            version=case.version,
            state=case.state,
        )


def say(case: Case, kind: str, actor: Actor, text: str = "", data: Mapping[str, Any] | None = None) -> CaseEvent:
    """Write a line into the timeline."""
    now = timezone.now()
    return CaseEvent.objects.create(
        case=case, kind=kind, at=now, known=now, actor=actor.label, text=text, data=dict(data or {})
    )


def move(case: Case, name: str, actor: Actor, text: str = "", data: Mapping[str, Any] | None = None) -> Case:
    """Carry out a step on a locked and checked case: state, clocks, timeline, audit, live."""
    step, now = STEPS[name], timezone.now()
    before, case.state = case.state, step.target
    if step.stamp:
        setattr(case, step.stamp, now)
    if step.target == Case.State.DISPATCHED and case.acknowledged_at is None:
        case.acknowledged_at = now
    case.version += 1
    case.due_at = due(case)
    case.save()
    say(case, step.event, actor, text, data)
    record(
        actor, Act(f"cases.{name}", case, case.place_id, text[:200], {"from": before, "to": case.state, **(data or {})})
    )
    live.publish([case], name)
    return case
