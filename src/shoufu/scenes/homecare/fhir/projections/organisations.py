"""Organization and HealthcareService: institutions, and what they do at homes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import changes, coded, filled, pointed, standard, system, to
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.codes import Skill
from shoufu.scenes.homecare.register.models import Institution, Service, ServiceVersion

# Rows from before the audit log knew them.
_EVER = datetime(2020, 1, 1, tzinfo=UTC)


def _institutions(actor: Actor) -> QuerySet[Institution]:
    return register.institutions(actor)


def _offices(rows: Sequence[Institution]) -> Iterator[tuple[int, Made]]:
    changed = changes(Institution, [row.pk for row in rows])
    for row in rows:
        content = filled(
            identifier=[{"use": "official", "system": system("institution-licence"), "value": row.licence_number}],
            active=row.suspended_at is None,
            type=[standard("organization-type", "prov")],
            name=row.organisation.name,
            alias=[row.organisation.name_en] if row.organisation.name_en else [],
        )
        yield row.pk, Made(content, changed.get(row.pk, _EVER), place=row.place_id)


def _services(actor: Actor) -> QuerySet[Service]:
    return register.services(actor)


def _offered(rows: Sequence[Service]) -> Iterator[tuple[int, Made]]:
    newest = {one.pk: one for one in ServiceVersion.objects.filter(pk__in=[row.newest for row in rows])}  # type: ignore[attr-defined]
    for row in rows:
        version = newest[row.newest]  # type: ignore[attr-defined]
        skills = sorted({skill for one in version.performers for skill in one.get("skills", ())})
        content = filled(
            identifier=[{"system": system("service"), "value": row.code}],
            active=row.closed_at is None,
            providedBy=to("Organization", row.institution_id, row.institution.organisation.name),
            type=[coded("service", row.code, version.name)],
            specialty=[coded("skill", skill, str(Skill(skill).label)) for skill in skills if skill in Skill.values],
            name=version.name,
            comment=version.what,
            extraDetails=f"{version.duration_minutes} min, {version.price_text}",
            appointmentRequired=True,
        )
        updated = max(filter(None, (version.published_at, row.closed_at)))
        yield row.pk, Made(content, updated, place=row.institution.place_id)


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code == "organization" and (keys := pointed(criterion, "Organization")) is not None:
        return Narrowed(Q(institution__in=keys))
    return None


projections = (
    Projection("Organization", _institutions, _offices),
    Projection("HealthcareService", _services, _offered, _narrow),
)
