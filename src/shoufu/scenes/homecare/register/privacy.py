"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, Hooks, Identifier, Retention, Scope, Sort, Subject
from shoufu.scenes.homecare.register.models import Patient, Practitioner

CARE = ("care at home", "居家医疗护理")


def _patient(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.register.services import shown

    found = shown(row)
    return {
        "institution": row.institution.label,
        "since": row.since,
        "ended_at": row.ended_at,
        "access": found.access,
        "allergies": found.health.allergies,
        "conditions": found.health.conditions,
        "flags": list(found.health.flags),
    }


holdings = (
    Holding(
        "homecare_register.patient",
        lambda s: Q(person=s.person),
        *CARE,
        days=Patient.RETENTION_DAYS,
        export=_patient,
        title="My home care",
        title_zh="我的居家护理",
    ),
    Holding(
        "homecare_register.practitioner",
        lambda s: Q(person=s.person),
        "sending only people who are licensed and able to do a service",
        "只派出有资质的人员上门",
        days=Practitioner.RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={
            "licence_number": "—",
            "verified_source": "—",
            "suspended_reason": "",
            "base_longitude": None,
            "base_latitude": None,
        },
        export=("profession", "rank", "licence_number", "licence_last_day", "clinical_since", "skills", "verified_at"),
        title="My practice in home care",
        title_zh="我的上门执业资料",
    ),
)

scopes = (Scope("care.act", "Home care for me: answer questionnaires, book", "为我办理居家护理：填问卷、预约"),)

retentions = (
    Retention(
        "shoufu.scenes.homecare.register.tasks.forget",
        "home care 15 years after it ended, practitioners five years after they left",
        "居家护理资料在结束 15 年后删除，护理人员资料在离开 5 年后删除",
    ),
)


def _identifiers(subject: Subject) -> Iterator[Identifier]:
    """Licence numbers, which stand in a public register beside the name."""
    numbers = Practitioner.objects.filter(person=subject.person).values_list("licence_number", flat=True)
    for number in numbers:
        yield Identifier(Sort.NUMBER, number, "licence")


hooks = Hooks(identifiers=_identifiers)
