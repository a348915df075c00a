from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import STEPS, due
from shoufu.kernel.cases.models import Case, CaseEvent, Feedback


def _many(actor: Actor, ids: Sequence[int], name: str, text: str = "") -> tuple[list[Case], list[int]]:
    """Carry out a step on every one of the cases that it can be done to; returns them, and the ids left alone."""
    step, now = STEPS[name], timezone.now()
    rows = limit(Case.objects.select_related("place"), actor, "cases.handle").filter(pk__in=ids)
    cases = [case for case in rows.order_by("pk").select_for_update(of=("self",)) if case.state in step.allowed]
    for case in cases:
        case.state = step.target
        setattr(case, step.stamp, now)
        case.version += 1
        case.due_at = due(case)
        case.assignee_id = case.assignee_id or actor.user_id
        case.outcome = text[:200] or case.outcome
    Case.objects.bulk_update(cases, ["state", step.stamp, "version", "due_at", "assignee", "outcome"])
    CaseEvent.objects.bulk_create(
        [CaseEvent(case=case, kind=step.event, at=now, known=now, actor=actor.label, text=text) for case in cases]
    )
    record_many(actor, [Act(f"cases.{name}", case, case.place_id, text[:200]) for case in cases])
    live.publish(cases, name)
    return cases, sorted(set(ids) - {case.pk for case in cases})


@transaction.atomic
def acknowledge_many(actor: Actor, ids: Sequence[int]) -> tuple[list[Case], list[int]]:
    """The bulk form of `acknowledge`: a constant number of queries; cases somebody else took are left alone."""
    return _many(actor, ids, "acknowledge")


@transaction.atomic
def false_alarm_many(actor: Actor, ids: Sequence[int], reason: str) -> tuple[list[Case], list[int]]:
    """The bulk form of `false_alarm`, with the feedback on the rules."""
    if not reason.strip():
        raise Invalid(FieldError("reason", _("Say what it was instead.")))
    cases, left = _many(actor, ids, "false_alarm", reason.strip())
    rules = dict(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", "rule_version__rule_id"))
    Feedback.objects.bulk_create(
        [
            Feedback(
                case=case,
                rule_id=rules[case.pk],
                verdict=Feedback.Verdict.FALSE_ALARM,
                text=reason[:300],
                author_id=actor.user_id,
            )
            for case in cases
        ],
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=["verdict", "text", "author"],
    )
    return cases, left
