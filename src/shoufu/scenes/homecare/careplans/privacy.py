"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.observations.services import forget_rows
from shoufu.kernel.privacy.declarations import Holding, Hooks, Receipt, Retention, Subject
from shoufu.scenes.homecare.careplans.models import CarePlan, HomeDevice
from shoufu.scenes.homecare.register.privacy import RECORDS

WHY = ("care of chronic disease", "慢性病照护")
DAYS = CarePlan.RETENTION_DAYS


def _plan(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.careplans.services import looks

    return looks.exported_plan(row)


def _reading(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.careplans.services import looks

    return looks.exported_reading(row)


def _handover(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.careplans.services import handovers

    found = handovers.shown(row)
    return {
        "sent_at": row.sent_at,
        "state": row.state,
        "reason": found.document.get("reason", ""),
        "answer": found.answer,
    }


def _letter(row: Any) -> dict[str, Any]:
    """A letter as the law keeps it: whole."""
    from shoufu.scenes.homecare.careplans.services import handovers

    return {**_handover(row), "letter": handovers.shown(row).document}


def _of_plan(subject: Subject) -> Q:
    return Q(plan__patient__person=subject.person)


holdings = (
    Holding(
        "homecare_careplans.done", lambda s: Q(task__plan__patient__person=s.person), *WHY, days=DAYS,
        export=("day", "at"), title="Tasks that I did", title_zh="我完成的任务", duty=RECORDS,
    ),
    Holding("homecare_careplans.goal", _of_plan, *WHY, days=DAYS),
    Holding("homecare_careplans.task", _of_plan, *WHY, days=DAYS),
    Holding("homecare_careplans.revision", _of_plan, *WHY, days=DAYS),
    Holding("homecare_careplans.finding", _of_plan, *WHY, days=DAYS),
    Holding("homecare_careplans.followup", _of_plan, *WHY, days=DAYS),
    Holding(
        "homecare_careplans.handover", _of_plan, *WHY, days=DAYS, export=_handover,
        title="How I was handed over to doctors", title_zh="我的转诊", duty=RECORDS, keep=_letter,
    ),
    Holding(
        "homecare_careplans.homedevice", lambda s: Q(patient__person=s.person), *WHY, days=DAYS,
        export=("device_id", "since", "until"), title="Devices that measure me", title_zh="测量我的设备",
    ),
    Holding(
        "homecare_careplans.reading", lambda s: Q(patient__person=s.person), *WHY, days=DAYS, export=_reading,
        title="My readings", title_zh="我的读数", duty=RECORDS,
    ),
    Holding(
        "homecare_careplans.careplan", lambda s: Q(patient__person=s.person), *WHY, days=DAYS, export=_plan,
        title="My care plans", title_zh="我的照护计划", duty=RECORDS,
    ),
)  # fmt: skip

retentions = (
    Retention(
        "shoufu.scenes.homecare.careplans.tasks.forget",
        "care plans and readings after 15 years",
        "照护计划和读数在 15 年后删除",
    ),
)


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """What the log still holds of their devices goes too; it would for itself after three days."""
    from shoufu.engines.chronic import KINDS

    devices = list(HomeDevice.objects.filter(patient__person=subject.person).values_list("device", flat=True))
    count = sum(forget_rows(SYSTEM, f"health.{kind}", devices) for kind in KINDS) if devices else 0
    if count:
        yield Receipt("observations", f"{count}")


hooks = Hooks(ended=_ended)
