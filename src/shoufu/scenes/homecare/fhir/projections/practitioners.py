"""Practitioner and PractitionerRole: who gives care for an institution of the actor's."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import (
    changes,
    coded,
    codes,
    filled,
    moment,
    period,
    pointed,
    system,
    to,
)
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.codes import Skill
from shoufu.scenes.homecare.register.models import Portrait, Practitioner

PORTRAIT = "api:get_portrait"


def _rows(actor: Actor) -> QuerySet[Practitioner]:
    return register.practitioners(actor, left=True).filter(person__erased_at__isnull=True)


def _updated(row: Practitioner, changed: dict[int, datetime]) -> datetime:
    known = (row.verified_at, row.suspended_at, row.left_at, row.person.updated_at, changed.get(row.pk))
    return max(at for at in known if at is not None)


def _active(row: Practitioner) -> bool:
    return row.left_at is None and row.suspended_at is None and row.verified_at is not None


def _people(rows: Sequence[Practitioner]) -> Iterator[tuple[int, Made]]:
    changed = changes(Practitioner, [row.pk for row in rows])
    for row in rows:
        yield row.pk, Made(_person(row), _updated(row, changed), place=row.institution.place_id)


def _person(row: Practitioner) -> dict[str, Any]:
    qualification = filled(
        identifier=[{"system": system("licence"), "value": row.licence_number}],
        code=coded("title", f"{row.profession}-{row.rank}", row.title),
        period=period(row.clinical_since, row.licence_last_day),
        issuer={"display": row.verified_source} if row.verified_source else None,
    )
    return filled(
        identifier=[{"use": "official", "system": system("licence"), "value": row.licence_number}],
        active=_active(row),
        name=[{"use": "official", "text": row.person.name}],
        photo=_photo(row),
        qualification=[qualification],
    )


def _photo(row: Practitioner) -> list[dict[str, Any]]:
    """Where the face is: an address of the same server, which asks for the same rights."""
    face: Portrait | None = getattr(row, "portrait", None)
    if face is None:
        return []
    where = reverse(PORTRAIT, args=[row.pk])
    return [{"contentType": "image/jpeg", "url": where, "size": face.size, "creation": moment(face.made_at)}]


def _roles(rows: Sequence[Practitioner]) -> Iterator[tuple[int, Made]]:
    changed = changes(Practitioner, [row.pk for row in rows])
    for row in rows:
        content = filled(
            active=_active(row),
            practitioner=to("Practitioner", row.pk, row.person.name),
            organization=to("Organization", row.institution_id, row.institution.organisation.name),
            code=[coded("profession", row.profession, row.get_profession_display())],
            specialty=[coded("skill", skill, str(Skill(skill).label)) for skill in row.skills],
        )
        yield row.pk, Made(content, _updated(row, changed), place=row.institution.place_id)


def _narrow(criterion: Criterion) -> Narrowed | None:
    match criterion.parameter.code:
        case "identifier" if (wanted := codes(criterion)) is not None:
            return Narrowed(Q(licence_number__in=wanted), exact=False)
        case "practitioner" if (keys := pointed(criterion, "Practitioner")) is not None:
            return Narrowed(Q(pk__in=keys))
        case "organization" if (keys := pointed(criterion, "Organization")) is not None:
            return Narrowed(Q(institution__in=keys))
        case "specialty" if (wanted := codes(criterion)) is not None:
            return Narrowed(Q(skills__overlap=wanted), exact=False)
    return None


projections = (
    Projection("Practitioner", _rows, _people, _narrow),
    Projection("PractitionerRole", _rows, _roles, _narrow),
)
