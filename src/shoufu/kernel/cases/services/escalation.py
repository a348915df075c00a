from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import case_kind
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.cases.telling import tell


@transaction.atomic
def escalate_overdue(now: datetime | None = None) -> list[Case]:
    """Escalate every open case whose clock has run out: the next role of its kind is told, and the clock starts again.

    Run every few seconds by the worker; a constant number of queries. After the last role it stays there and is
    repeated at each further limit.
    """
    now = now or timezone.now()
    overdue = Case.objects.filter(state__in=Case.OPEN, due_at__lte=now).select_related("place").order_by("due_at")
    cases = list(overdue.select_for_update(of=("self",), skip_locked=True)[:200])
    told: list[tuple[Case, tuple[str, ...]]] = []
    for case in cases:
        kind = case_kind(case.kind)
        chain = kind.escalate_to or (kind.role,)
        role = chain[min(case.escalation, len(chain) - 1)]
        case.escalation = min(case.escalation + 1, 99)
        case.role = role
        grace = kind.acknowledge_minutes if case.state == Case.State.NEW else kind.resolve_minutes
        case.due_at = now + timedelta(minutes=grace.get(case.severity, 60))
        case.version += 1
        told.append((case, (role,)))
    Case.objects.bulk_update(cases, ["escalation", "role", "due_at", "version"])
    CaseEvent.objects.bulk_create(
        [
            CaseEvent(
                case=case,
                kind=CaseEvent.Kind.ESCALATED,
                at=now,
                known=now,
                actor=SYSTEM.label,
                data={"role": case.role, "level": case.escalation},
            )
            for case in cases
        ]
    )
    record_many(SYSTEM, [Act("cases.escalate", case, case.place_id, data={"role": case.role}) for case in cases])
    tell(SYSTEM, "case.escalated", told)
    live.publish(cases, "escalated")
    return cases
