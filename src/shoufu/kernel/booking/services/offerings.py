from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.booking import policy, providers, selectors
from shoufu.kernel.booking.models import Offering, Requirement, Resource, Terms
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.models import Place

DAY_MINUTES = 1440
LIMITS = {
    "duration_minutes": (1, 31 * DAY_MINUTES),
    "step_minutes": (1, 31 * DAY_MINUTES),
    "most_units": (1, 100),
    "buffer_before": (0, DAY_MINUTES),
    "buffer_after": (0, DAY_MINUTES),
    "capacity": (1, 1_000_000),
    "lead_minutes": (0, 90 * DAY_MINUTES),
    "horizon_days": (1, 730),
    "hold_seconds": (1, 86_400),
    "price": (0, 10_000_000_000),
}


@dataclass(frozen=True)
class TermsDraft:
    """Terms as somebody fills them in: see `Terms`; `policy` is data of `policy.Policy`."""

    duration_minutes: int
    step_minutes: int | None = None
    most_units: int = 1
    buffer_before: int = 0
    buffer_after: int = 0
    capacity: int = 1
    lead_minutes: int = 0
    horizon_days: int = 30
    hold_seconds: int = 600
    price: int = 0
    currency: str = "CNY"
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RequirementDraft:
    """What a booking takes one of."""

    resources: Sequence[int]
    name: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class OfferingDraft:
    """An offering as somebody fills it in."""

    code: str
    place: int
    name: str
    terms: TermsDraft
    requirements: Sequence[RequirementDraft]
    name_en: str = ""
    organisation: int | None = None
    provider: str = ""


def _values(draft: TermsDraft) -> dict[str, Any]:
    values = asdict(draft) | {"step_minutes": draft.step_minutes or draft.duration_minutes}
    errors = [
        FieldError(name, _("Must be a whole number from %(least)s to %(most)s.") % {"least": least, "most": most})
        for name, (least, most) in LIMITS.items()
        if not least <= values[name] <= most
    ]
    if draft.capacity > 1 and draft.most_units > 1:
        errors.append(FieldError("most_units", _("Must be 1 where a slot has several places.")))
    if len(draft.currency) != 3 or not draft.currency.isalpha() or not draft.currency.isupper():
        errors.append(FieldError("currency", _("Write three capital letters, such as CNY.")))
    if errors:
        raise Invalid(*errors)
    return values | {"policy": policy.read(draft.policy).as_dict()}


def _needed(actor: Actor, drafts: Sequence[RequirementDraft]) -> list[list[Resource]]:
    wanted = {one for draft in drafts for one in draft.resources}
    rows = limit(Resource.objects.filter(retired_at__isnull=True), actor, selectors.MANAGE)
    found = {row.pk: row for row in rows.filter(pk__in=wanted)}
    errors = []
    if not drafts or len(drafts) > 10:
        errors.append(FieldError("requirements", _("Name from one to ten requirements.")))
    for at, draft in enumerate(drafts):
        if not draft.resources or not set(draft.resources) <= found.keys():
            errors.append(FieldError(f"requirements.{at}.resources", _("Choose resources that you may manage.")))
    if errors:
        raise Invalid(*errors)
    return [[found[one] for one in dict.fromkeys(draft.resources)] for draft in drafts]


@transaction.atomic
def create_offering(actor: Actor, draft: OfferingDraft) -> Offering:
    """Offer something at a place, with its first terms. Conflict for a code that is there already."""
    place = limit(Place.objects.filter(closed_at__isnull=True), actor, selectors.MANAGE, "path").filter(
        pk=draft.place
    ).first()  # fmt: skip
    errors = [
        FieldError(name, _("Must not be empty.")) for name in ("code", "name") if not getattr(draft, name).strip()
    ]
    if place is None:
        errors.append(FieldError("place", _("Choose a place whose bookings you may manage.")))
    if draft.organisation is not None and not _office(actor, draft.organisation):
        errors.append(FieldError("organisation", _("Choose an organisation.")))
    if draft.provider and draft.provider not in providers.all_providers():
        errors.append(FieldError("provider", _("“%(code)s” is not installed here.") % {"code": draft.provider[:64]}))
    if errors or place is None:
        raise Invalid(*errors)
    values, needed = _values(draft.terms), _needed(actor, draft.requirements)
    try:
        with transaction.atomic():
            made = Offering.objects.create(
                code=draft.code.strip()[:64],
                place=place,
                organisation_id=draft.organisation,
                name=draft.name.strip()[:120],
                name_en=draft.name_en.strip()[:120],
                provider=draft.provider,
            )
    except IntegrityError as error:
        raise Conflict(_("There is an offering with this code already.")) from error
    _require(made, draft.requirements, needed)
    made.current = Terms.objects.create(offering=made, number=1, made_at=timezone.now(), **values)
    made.save(update_fields=["current"])
    record(actor, Act("booking.offering.create", made, place.pk, data={"code": made.code}))
    return made


def _office(actor: Actor, organisation: int) -> bool:
    return limit(Organisation.objects.all(), actor, "parties.view").filter(pk=organisation).exists()


def _require(row: Offering, drafts: Sequence[RequirementDraft], needed: Sequence[Sequence[Resource]]) -> None:
    row.requirements.all().delete()
    for position, (draft, resources) in enumerate(zip(drafts, needed, strict=True)):
        made = Requirement.objects.create(
            offering=row, position=position, name=draft.name.strip()[:120], name_en=draft.name_en.strip()[:120]
        )
        made.resources.set(resources)


def _locked(actor: Actor, offering_id: int) -> Offering:
    seen = selectors.offering(actor, offering_id)
    require(actor, selectors.MANAGE, seen.place)
    rows = Offering.objects.select_for_update(of=("self",)).select_related("place", "current")
    return rows.get(pk=offering_id)


@transaction.atomic
def change_terms(actor: Actor, offering_id: int, draft: TermsDraft, number: int | None = None) -> Terms:
    """New terms for new bookings; those that exist keep theirs. `number` is the version the change was made on."""
    row, values = _locked(actor, offering_id), _values(draft)
    last = row.current.number if row.current is not None else 0
    if number is not None and number != last:
        raise Conflict(_("Somebody changed this meanwhile; load the page again."), number=last)
    if row.current is not None and (row.current.capacity > 1) != (draft.capacity > 1):
        said = _("One booking a slot and several cannot be exchanged; end this offering and make another one.")
        raise Invalid.one("capacity", said)
    made = Terms.objects.create(offering=row, number=last + 1, made_at=timezone.now(), **values)
    row.current = made
    row.save(update_fields=["current"])
    record(actor, Act("booking.offering.terms", row, row.place_id, data={"number": made.number}))
    return made


@transaction.atomic
def require_resources(actor: Actor, offering_id: int, drafts: Sequence[RequirementDraft]) -> Offering:
    """Change what new bookings take; those that exist keep what they have."""
    row = _locked(actor, offering_id)
    _require(row, drafts, _needed(actor, drafts))
    record(actor, Act("booking.offering.require", row, row.place_id, data={"requirements": len(drafts)}))
    return row


@transaction.atomic
def close_offering(actor: Actor, offering_id: int, ends_at: datetime | None = None) -> Offering:
    """End an offering (now, or then): nothing of it that starts later can be booked; bookings that exist stay."""
    row = _locked(actor, offering_id)
    row.ends_at = ends_at or timezone.now()
    row.save(update_fields=["ends_at"])
    record(actor, Act("booking.offering.close", row, row.place_id, data={"ends_at": row.ends_at.isoformat()}))
    return row
