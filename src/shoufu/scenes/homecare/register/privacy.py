"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.privacy.declarations import (
    Duty,
    Erase,
    Holding,
    Hooks,
    Identifier,
    Receipt,
    Retention,
    Scope,
    Sort,
    Subject,
)
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


def _last_care(subject: Subject) -> date | None:
    """Until when there was care: today where there still is."""
    ends = list(Patient.objects.filter(person=subject.person).values_list("ended_at", flat=True))
    return max((timezone.localdate(end) if end else timezone.localdate() for end in ends), default=None)


RECORDS = "care.records"
duties = (
    Duty(
        RECORDS,
        "Records of care at home",
        "居家护理病历",
        "医疗机构病历管理规定 (2013), Article 29, and 医疗机构管理条例实施细则, Article 53: "
        "at least 15 years after the last visit",
        "《医疗机构病历管理规定》第二十九条、《医疗机构管理条例实施细则》第五十三条：自最后一次就诊起保存不少于十五年",
        Patient.RETENTION_DAYS,
        _last_care,
    ),
)

holdings = (
    Holding(
        "homecare_register.patient",
        lambda s: Q(person=s.person),
        *CARE,
        days=Patient.RETENTION_DAYS,
        export=_patient,
        duty=RECORDS,
        title="My home care",
        title_zh="我的居家护理",
    ),
    Holding(
        "homecare_register.portrait",
        lambda s: Q(practitioner__person=s.person),
        "patients recognise who comes to their home",
        "让患者认得上门的人",
        export=("made_at", "size"),
        title="My portrait for patients",
        title_zh="给患者看的我的照片",
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
        "home care 15 years after it ended, practitioners five years after they left (their portrait at once)",
        "居家护理资料在结束 15 年后删除，护理人员资料在离开 5 年后删除（照片在离开时即删除）",
    ),
)


def _identifiers(subject: Subject) -> Iterator[Identifier]:
    """Licence numbers, which stand in a public register beside the name."""
    numbers = Practitioner.objects.filter(person=subject.person).values_list("licence_number", flat=True)
    for number in numbers:
        yield Identifier(Sort.NUMBER, number, "licence")


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """The bytes of their portraits go with the rows."""
    from shoufu.scenes.homecare.register.services.portraits import clear

    rows = Practitioner.objects.filter(person=subject.person)
    if gone := clear(rows.values_list("pk", flat=True)):
        yield Receipt("media", f"{gone}")


hooks = Hooks(identifiers=_identifiers, ended=_ended)
