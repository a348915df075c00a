"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.privacy.declarations import Holding, Hooks, Receipt, Retention, Subject
from shoufu.scenes.homecare.encounters.models import RETENTION_DAYS, SAFETY_DAYS, Phone, Photo
from shoufu.scenes.homecare.register.privacy import RECORDS

CARE = ("care at home", "居家护理服务")
PHONE_DAYS = Phone.RETENTION_DAYS
SAFETY = ("safety of who gives care at homes", "上门护理人员的人身安全")


def _encounter(row: Any) -> dict[str, Any]:
    from shoufu.scenes.homecare.encounters.services import exported

    return exported(row)


def _picture(row: Any) -> tuple[str, bytes] | None:
    """A picture as the law keeps it; where its bytes were lost before, a text that says so."""
    from shoufu.scenes.homecare.encounters.services.pictures import content

    if row.key is None:
        return None
    name = f"{row.encounter.number}-{row.pk}"
    try:
        return f"{name}.{row.content_type.partition('/')[2] or 'bin'}", content(row)
    except NotFound as error:
        return f"{name}.lost.txt", str(error).encode()


def _of_encounter(subject: Subject) -> Q:
    return Q(encounter__patient__person=subject.person)


def _of_visit(subject: Subject) -> Q:
    return Q(visit__patient__person=subject.person)


def _own(subject: Subject) -> Q:
    return Q(practitioner__person=subject.person)


def _phones(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


holdings = (
    Holding(
        "homecare_encounters.piece", lambda s: Q(photo__encounter__patient__person=s.person), *CARE, RETENTION_DAYS
    ),
    Holding("homecare_encounters.photo", _of_encounter, *CARE, RETENTION_DAYS, duty=RECORDS, file=_picture),
    Holding("homecare_encounters.entry", _of_encounter, *CARE, RETENTION_DAYS),
    Holding("homecare_encounters.operation", _of_visit, *CARE, RETENTION_DAYS),
    Holding("homecare_encounters.handed", lambda s: _of_visit(s) | _own(s), *CARE, RETENTION_DAYS),
    Holding("homecare_encounters.phone", _phones, *CARE, PHONE_DAYS),
    Holding(
        "homecare_encounters.encounter",
        lambda s: Q(patient__person=s.person),
        *CARE,
        RETENTION_DAYS,
        export=_encounter,
        duty=RECORDS,
        title="What was done at my home",
        title_zh="在我家做了什么",
    ),
    Holding(
        "homecare_encounters.trace",
        _own,
        *SAFETY,
        SAFETY_DAYS,
        export=("since", "until", "points"),
        title="My ways during visits",
        title_zh="我上门期间的轨迹",
    ),
    Holding(
        "homecare_encounters.sos",
        _own,
        *SAFETY,
        SAFETY_DAYS,
        export=("pressed_at", "known_at", "longitude", "latitude", "accuracy"),
        title="My calls for help",
        title_zh="我的求助",
    ),
    Holding(
        "homecare_encounters.overdue",
        _own,
        *SAFETY,
        SAFETY_DAYS,
        export=("what", "due_at", "opened_at", "ended_at"),
        title="When I was late to check in or out",
        title_zh="我的逾期签到签退",
    ),
)

retentions = (
    Retention(
        "shoufu.scenes.homecare.encounters.tasks.forget",
        "what was written at visits after 15 years; ways, calls for help and missed check-outs after three; phones "
        "that were not used for 90 days",
        "上门记录在 15 年后删除；轨迹、求助和逾期记录在 3 年后删除；90 天未用的手机登记删除",
    ),
)


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """The bytes of their pictures go with the rows."""
    from shoufu.scenes.homecare.encounters.services.pictures import remove

    rows = Photo.objects.filter(encounter__patient__person=subject.person, key__isnull=False)
    keys = [str(key) for key in rows.values_list("key", flat=True)]
    remove(keys)
    if keys:
        yield Receipt("media", f"{len(keys)}")


hooks = Hooks(ended=_ended)
