"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from dataclasses import asdict
from typing import Any

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, NotPersonal, Retention
from shoufu.scenes.homecare.register.privacy import RECORDS
from shoufu.scenes.homecare.visits.models import RETENTION_DAYS

WHY = ("care at home", "居家护理服务")


def _visit(row: Any) -> dict[str, Any]:
    """A visit as the law keeps it: also who came, and that it was agreed to."""
    return {
        "number": row.number,
        "institution": row.institution.label,
        "service": row.version.label,
        "state": row.get_state_display(),
        "starts_at": row.starts_at,
        "latest_at": row.latest_at,
        "consented_at": row.consented_at,
        "consent": row.version.consent,
        "who": [one.practitioner.person.name for one in row.stops.select_related("practitioner__person")],
        "began_at": row.began_at,
        "ended_at": row.ended_at,
        "end_cause": row.end_cause,
    }


def _prescription(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.visits.services import prescriptions

    return {
        "service": row.service.code,
        "issued_on": row.issued_on,
        "last_day": row.last_day,
        "uses": row.uses,
        "checked_at": row.checked_at,
        "revoked_at": row.revoked_at,
        **asdict(prescriptions.written_in(row)),
    }


holdings = (
    Holding(
        "homecare_visits.visit",
        lambda s: Q(patient__person=s.person),
        *WHY,
        days=RETENTION_DAYS,
        export=lambda row: {
            "number": row.number,
            "service": row.version.label,
            "state": row.get_state_display(),
            "starts_at": row.starts_at,
            "began_at": row.began_at,
            "ended_at": row.ended_at,
        },
        title="Visits at my home",
        title_zh="我的上门护理",
        duty=RECORDS,
        keep=_visit,
    ),
    Holding(
        "homecare_visits.prescription",
        lambda s: Q(patient__person=s.person),
        *WHY,
        days=RETENTION_DAYS,
        duty=RECORDS,
        keep=_prescription,
    ),
    Holding("homecare_visits.stop", lambda s: Q(visit__patient__person=s.person), *WHY, days=RETENTION_DAYS),
    Holding("homecare_visits.visitevent", lambda s: Q(visit__patient__person=s.person), *WHY, days=RETENTION_DAYS),
)

not_personal = (NotPersonal("homecare_visits.bookingrules", "an institution's own rules"),)

retentions = (
    Retention(
        "shoufu.scenes.homecare.visits.tasks.forget",
        "visits 15 years after they ended, and prescriptions 15 years after their last day",
        "上门在结束 15 年后删除，处方在失效 15 年后删除",
    ),
)
