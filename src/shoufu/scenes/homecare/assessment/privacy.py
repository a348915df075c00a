"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from typing import Any

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, Retention
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register.privacy import RECORDS

WHY = ("deciding whether a service can be done at home without harm", "判断能否安全地在家中服务")


def _assessment(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.assessment.services import exported

    return exported(row)


holdings = (
    Holding(
        "homecare_assessment.response",
        lambda s: Q(assessment__patient__person=s.person),
        *WHY,
        days=Assessment.RETENTION_DAYS,
    ),
    Holding(
        "homecare_assessment.assessment",
        lambda s: Q(patient__person=s.person),
        *WHY,
        days=Assessment.RETENTION_DAYS,
        export=_assessment,
        duty=RECORDS,
        title="My assessments for home care",
        title_zh="我的居家护理评估",
    ),
)

retentions = (
    Retention(
        "shoufu.scenes.homecare.assessment.tasks.forget",
        "assessments 15 years after they ended",
        "评估在结束 15 年后删除",
    ),
)
