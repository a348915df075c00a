from datetime import datetime

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import next_role, patience
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.cases.telling import tell


@transaction.atomic
def escalate_overdue(now: datetime | None = None) -> list[Case]:
    """Escalate every open case whose clock has run out: the next role of its kind is told, and the clock starts again.

    Run every few seconds by the worker; a constant number of queries. After the last role it stays there and is
    repeated, each time after twice the wait, up to an hour.
    """
    now = now or timezone.now()
    overdue = Case.objects.filter(state__in=Case.OPEN, due_at__lte=now).select_related("place").order_by("due_at")
    cases = list(overdue.select_for_update(of=("self",), skip_locked=True)[:200])
    told: list[tuple[Case, tuple[str, ...]]] = []
    for case in cases:
        case.role = next_role(case)
        case.escalation = min(case.escalation + 1, 99)
        case.due_at = now + patience(case)
        case.version += 1
        told.append((case, (case.role,)))
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
