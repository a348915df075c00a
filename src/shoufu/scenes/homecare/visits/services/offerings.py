"""The kernel's offerings of services: opened by a coordinator, then kept in step with versions and people."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.apart import apart
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.booking import policy
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Offering
from shoufu.kernel.booking.services import OfferingDraft, RequirementDraft, TermsDraft
from shoufu.scenes.homecare.register import codes
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner, Service, ServiceVersion
from shoufu.scenes.homecare.visits import selectors
from shoufu.scenes.homecare.visits.holding import code_of
from shoufu.scenes.homecare.visits.models import BookingRules, default_policy

log = logging.getLogger(__name__)
PLACES = 100_000
"""Places of a slot in the kernel: so many that the plan alone decides."""
RIGHTS = ("booking.manage", "booking.view", "parties.view")
RANGES = {
    "step_minutes": (5, 240),
    "lead_minutes": (0, 14 * 1440),
    "horizon_days": (1, 365),
    "hold_seconds": (60, 86_400),
}


@dataclass(frozen=True)
class RulesDraft:
    """How an institution's visits are booked; see `BookingRules`. `policy` is data of the booking kernel."""

    step_minutes: int = 30
    lead_minutes: int = 120
    horizon_days: int = 14
    hold_seconds: int = 900
    pay_at_visit: bool = True
    policy: Mapping[str, Any] | None = None


@transaction.atomic
def set_rules(actor: Actor, institution_id: int, draft: RulesDraft) -> BookingRules:
    """Change how an institution's visits are booked: for new bookings, which get new terms; those made keep theirs."""
    office = register.institution(actor, institution_id)
    require(actor, register.MANAGE, office.place)
    said = _("Must be a number from %(least)s to %(most)s.")
    errors = [
        FieldError(name, said % {"least": least, "most": most})
        for name, (least, most) in RANGES.items()
        if not least <= getattr(draft, name) <= most
    ]
    if errors:
        raise Invalid(*errors)
    values = asdict(draft) | {"policy": policy.read(draft.policy or default_policy()).as_dict()}
    row, _new = BookingRules.objects.update_or_create(institution=office, defaults=values)
    record(actor, Act("homecare.booking.rules", row, office.place_id, data=values))
    keep_in_step(actor, office)
    return row


@transaction.atomic
def open_for_booking(actor: Actor, service_id: int) -> Offering:
    """Let patients book a service: the kernel's offering is made, or brought in step. Invalid where nobody of the
    institution could do it."""
    service = register.service(actor, service_id)
    office = service.institution
    require(actor, register.MANAGE, office.place)
    if service.closed_at is not None:
        raise Conflict(_("This service is closed."))
    version = register.version_on(service.pk, register.day_at(office.place))
    if version is None:
        raise Conflict(_("The service is not offered on that day."))
    found = selectors.offering_of(service.pk)
    if found is not None:
        if found.ends_at is not None:
            Offering.objects.filter(pk=found.pk).update(ends_at=None)
        _in_step(actor, found, version)
        return Offering.objects.select_related("place", "current").get(pk=found.pk)
    needed = _needed(version)
    if not all(draft.resources for draft in needed):
        raise Invalid.one("service", _("Nobody of the institution could do it; register who can first."))
    draft = OfferingDraft(
        code_of(service.pk), office.place_id, version.name, _terms(version), needed, version.name_en,
        office.organisation_id, "homecare",
    )  # fmt: skip
    made = booking.create_offering(_able(actor, office), draft)
    record(actor, Act("homecare.service.bookable", service, office.place_id, data={"offering": made.pk}))
    return made


@transaction.atomic
def close_for_booking(actor: Actor, service_id: int) -> None:
    """Let nobody book a service from now on; what is booked stays."""
    service = register.service(actor, service_id)
    require(actor, register.MANAGE, service.institution.place)
    found = selectors.offering_of(service.pk)
    if found is not None and found.ends_at is None:
        booking.close_offering(_able(actor, service.institution), found.pk)


def _able(actor: Actor, office: Institution) -> Actor:
    able = lent(actor, office.place.path, *RIGHTS)
    return lent(able, office.organisation.place.path, "parties.view")


def rules_of(office: Institution) -> BookingRules:
    """How an institution's visits are booked; the defaults where nobody said."""
    return BookingRules.objects.filter(institution=office).first() or BookingRules(institution=office)


def _terms(version: ServiceVersion) -> TermsDraft:
    rules = rules_of(version.service.institution)
    return TermsDraft(
        duration_minutes=version.duration_minutes + version.gap_least,
        step_minutes=rules.step_minutes,
        capacity=PLACES,
        lead_minutes=rules.lead_minutes,
        horizon_days=rules.horizon_days,
        hold_seconds=rules.hold_seconds,
        price=version.price,
        currency=version.currency,
        policy=rules.policy,
    )


def _needed(version: ServiceVersion) -> list[RequirementDraft]:
    """For each of one or two people: whose time it takes. Whether one can come is the plan's matter."""
    rows = Practitioner.objects.filter(
        institution=version.service.institution_id, left_at__isnull=True, resource__retired_at__isnull=True
    )
    people = list(rows.exclude(resource=None).order_by("pk"))
    documents = version.performers or [{}]
    count = 1 if version.second == ServiceVersion.Second.NONE else 2
    found = []
    for task in range(count):
        asked = documents[min(task, len(documents) - 1)]
        professions, skills = asked.get("professions") or [], set(asked.get("skills") or [])
        fit = [one for one in people if not professions or one.profession in professions]
        resources = [one.resource_id for one in fit if skills <= set(one.skills) and one.resource_id is not None]
        names = [str(codes.Profession(one).label) for one in professions if one in codes.Profession.values]
        found.append(RequirementDraft(resources, ", ".join(names)[:120]))
    return found


@transaction.atomic
def keep_in_step(actor: Actor, office: Institution) -> int:
    """Bring the offerings of an institution in step with its versions, people and rules; how many changed. The caller
    checked the right."""
    services = Service.objects.select_related("institution__place", "institution__organisation__place")
    return sum(_step(actor, service) for service in services.filter(institution=office).order_by("pk"))


def _step(actor: Actor, service: Service) -> bool:
    found = selectors.offering_of(service.pk)
    if found is None or found.ends_at is not None:
        return False
    if service.closed_at is not None:
        booking.close_offering(_able(actor, service.institution), found.pk)
        return True
    version = register.version_on(service.pk, register.day_at(service.institution.place))
    return version is not None and _in_step(actor, found, version)


def _in_step(actor: Actor, found: Offering, version: ServiceVersion) -> bool:
    able, changed = _able(actor, version.service.institution), False
    needed = _needed(version)
    if all(draft.resources for draft in needed) and _taken(found) != [set(draft.resources) for draft in needed]:
        booking.require_resources(able, found.pk, needed)
        changed = True
    terms = _terms(version)
    if not _same(found, terms):
        booking.change_terms(able, found.pk, terms)
        changed = True
    return changed


def _taken(found: Offering) -> list[set[int]]:
    rows = found.requirements.order_by("position").prefetch_related("resources")
    return [{one.pk for one in row.resources.all()} for row in rows]


def _same(found: Offering, draft: TermsDraft) -> bool:
    current = found.current
    if current is None:
        return False
    plain: Sequence[str] = (
        "duration_minutes", "step_minutes", "lead_minutes", "horizon_days", "hold_seconds", "price", "currency"
    )  # fmt: skip
    same = all(getattr(current, name) == getattr(draft, name) for name in plain)
    return same and policy.read(current.policy) == policy.read(draft.policy)


def keep_all_in_step() -> int:
    """Every hour: a version's first day comes at midnight of its place. Returns how many offerings changed."""
    rows = Institution.objects.select_related("place", "organisation__place").order_by("pk")
    return apart(log, "offerings of institution", rows, lambda office: keep_in_step(SYSTEM, office))
