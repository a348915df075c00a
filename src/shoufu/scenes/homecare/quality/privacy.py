"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from typing import Any

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, Retention
from shoufu.scenes.homecare.quality.models import (
    Appeal,
    Bar,
    Complaint,
    Incident,
    MonthSummary,
    Rating,
    Refusal,
    Sanction,
    Step,
)
from shoufu.scenes.homecare.quality.services.bars import REASON
from shoufu.scenes.homecare.quality.services.common import Reader, trail
from shoufu.scenes.homecare.quality.services.complaints import WISH


def _rating(row: Any) -> dict[str, Any]:
    words = Reader(row.visit.patient.person_id)(row.words)
    return {"visit": row.visit.number, "stars": row.stars, "tags": list(row.tags), "words": words, "at": row.made_at}


def _complaint(row: Any) -> dict[str, Any]:
    read = Reader(row.patient.person_id)
    return {
        "number": row.number,
        "state": row.get_state_display(),
        "made_at": row.made_at,
        "what": read(row.what),
        "wish": read(row.wish, WISH),
        "steps": [
            {"at": one["at"], "kind": one["kind"], "words": one["words"]} for one in trail(row.steps.all(), read)
        ],
    }


def _incident(row: Any) -> dict[str, Any]:
    what = Reader(row.subject_id)(row.what)
    return {"number": row.number, "kind": row.get_kind_display(), "happened_at": row.happened_at, "what": what}


def _refusal(row: Any) -> dict[str, Any]:
    """Of a refusal by the other side nothing is shown: it protects who refused."""
    theirs = row.side == Refusal.Side.PATIENT
    person = row.patient.person_id if theirs else row.practitioner.person_id
    return {
        "number": row.number,
        "side": row.get_side_display(),
        "made_at": row.made_at,
        "words": Reader(person)(row.words),
    }


def _bar(row: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.get_state_display(),
        "last_day": row.last_day,
        "reason": Reader(row.patient.person_id)(row.reason, REASON),
    }


def _sanction(row: Any) -> dict[str, Any]:
    reason = Reader(row.practitioner.person_id)(row.reason, REASON)
    return {"number": row.number, "state": row.get_state_display(), "last_day": row.last_day, "reason": reason}


STEPS = ("following what was done about it", "跟踪处理经过")

holdings = (
    Holding(
        "homecare_quality.rating",
        lambda s: Q(visit__patient__person=s.person),
        Rating.PURPOSE,
        "改进居家护理",
        days=Rating.RETENTION_DAYS,
        export=_rating,
        title="My ratings of home care",
        title_zh="我对居家护理的评价",
    ),
    Holding(
        "homecare_quality.step",
        lambda s: (
            Q(complaint__patient__person=s.person)
            | Q(incident__subject=s.person)
            | Q(bar__patient__person=s.person)
            | Q(sanction__practitioner__person=s.person)
        ),
        *STEPS,
        days=Step.RETENTION_DAYS,
    ),
    Holding(
        "homecare_quality.appeal",
        lambda s: Q(bar__patient__person=s.person) | Q(sanction__practitioner__person=s.person),
        Appeal.PURPOSE,
        "听取当事人申诉",
        days=Appeal.RETENTION_DAYS,
    ),
    Holding(
        "homecare_quality.complaint",
        lambda s: Q(patient__person=s.person),
        Complaint.PURPOSE,
        "纠正做得不对的事",
        days=Complaint.RETENTION_DAYS,
        export=_complaint,
        title="My complaints about home care",
        title_zh="我对居家护理的投诉",
    ),
    Holding(
        "homecare_quality.bar",
        lambda s: Q(patient__person=s.person),
        Bar.PURPOSE,
        "保护上门人员安全",
        days=Bar.RETENTION_DAYS,
        export=_bar,
        title="Entries about home visits to me",
        title_zh="关于为我上门的限制",
    ),
    Holding(
        "homecare_quality.incident",
        lambda s: Q(subject=s.person),
        Incident.PURPOSE,
        "避免照护对患者和人员造成伤害",
        days=Incident.RETENTION_DAYS,
        export=_incident,
        title="Adverse events that concern me",
        title_zh="与我有关的不良事件",
    ),
    Holding(
        "homecare_quality.refusal",
        lambda s: (
            Q(side=Refusal.Side.PATIENT, patient__person=s.person)
            | Q(side=Refusal.Side.PRACTITIONER, practitioner__person=s.person)
        ),
        Refusal.PURPOSE,
        "双方有一方不愿意时不派人上门",
        days=Refusal.RETENTION_DAYS,
        export=_refusal,
        title="Whom I refused in home care",
        title_zh="我在居家护理中的拒绝",
    ),
    Holding(
        "homecare_quality.sanction",
        lambda s: Q(practitioner__person=s.person),
        Sanction.PURPOSE,
        "保护患者安全",
        days=Sanction.RETENTION_DAYS,
        export=_sanction,
        title="Sanctions of my home visits",
        title_zh="对我上门服务的处理",
    ),
    Holding(
        "homecare_quality.monthsummary",
        lambda s: Q(practitioner__person=s.person),
        MonthSummary.PURPOSE,
        "质量统计",
        days=MonthSummary.RETENTION_DAYS,
    ),
)

retentions = (
    Retention(
        "shoufu.scenes.homecare.quality.tasks.forget",
        "ratings after five years, complaints, refusals and sanctions five years and entries three years after they "
        "ended, adverse events 15 years after they were closed",
        "评价满 5 年、投诉和拒绝及处理结束 5 年、限制名单结束 3 年、不良事件结案 15 年后删除",
    ),
)
