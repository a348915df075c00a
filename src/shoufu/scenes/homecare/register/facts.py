"""Rows as the facts that `eligibility` judges."""

from datetime import date

from shoufu.scenes.homecare.register import selectors
from shoufu.scenes.homecare.register.eligibility import Asked, Cared, Performer, Practice
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.register.selectors import Health


def practice(row: Practitioner) -> Practice:
    """A practitioner's facts."""
    base = (row.base_longitude, row.base_latitude)
    return Practice(
        institution=row.institution_id,
        profession=row.profession,
        rank=row.rank,
        clinical_since=row.clinical_since,
        licence_last_day=row.licence_last_day,
        skills=frozenset(row.skills),
        verified=row.verified_at is not None,
        suspended=row.suspended_at is not None,
        left=row.left_at is not None,
        base=(base[0], base[1]) if base[0] is not None and base[1] is not None else None,
        radius=float(row.radius),
    )


def cared(row: Patient, health: Health | None) -> Cared:
    """A patient's facts; two queries for where they live."""
    return Cared(
        institution=row.institution_id,
        flags=frozenset(health.flags) if health is not None else None,
        at=selectors.position(row.place),
        ended=row.ended_at is not None,
        inside=row.place.path.startswith(row.institution.place.path),
    )


def asked(office: Institution, version: ServiceVersion | None, assessed: str, second: bool = False) -> Asked:
    """A service's facts on a day; `second` for who comes besides in a double service."""
    performers = version.performers if version is not None else []
    document = performers[1 if second and len(performers) > 1 else 0] if performers else {}
    return Asked(
        institution=office.pk,
        performer=Performer(
            tuple(document.get("professions", ())),
            tuple(document.get("skills", ())),
            document.get("least_rank", 1),
            document.get("least_years", 0),
        ),
        contraindications=frozenset(version.contraindications) if version is not None else frozenset(),
        licence_last_day=office.licence_last_day,
        suspended=office.suspended_at is not None,
        published=version is not None,
        assessed=assessed,
    )


def on(row: Practitioner, day: date | None = None) -> date:
    """The day by which a practitioner's licence is judged: that of their institution's place."""
    return day or selectors.day_at(row.institution.place)
