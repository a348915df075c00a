from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.scenes.homecare.register import codes, selectors
from shoufu.scenes.homecare.register.models import Service, ServiceVersion
from shoufu.scenes.homecare.register.services.common import MANAGE, chosen, follow_with_booking, managed

Second = ServiceVersion.Second
LONGEST = 8 * 60
MOST_PRICE = 10_000_000


@dataclass(frozen=True)
class PerformerDraft:
    """Who may do it (see `eligibility.Performer`)."""

    professions: Sequence[str] = ()
    skills: Sequence[str] = ()
    least_rank: int = 1
    least_years: int = 0


@dataclass(frozen=True)
class VersionDraft:
    """What a service is from `since` on (None: today); see `ServiceVersion`. A second performer makes it double."""

    name: str
    name_en: str
    duration_minutes: int
    price: int
    consent: str
    consent_en: str
    performers: Sequence[PerformerDraft] = (PerformerDraft(),)
    since: date | None = None
    what: str = ""
    what_en: str = ""
    second: str = Second.NONE
    gap_least: int = 0
    gap_most: int = 0
    materials: Sequence[Mapping[str, Any]] = ()
    insurance_share: int = 0
    contraindications: Sequence[str] = ()
    needs_prescription: bool = False
    needs_assessment: bool = True
    instruments: Sequence[str] = ()
    assessment_days: int = 90


@transaction.atomic
def add_service(actor: Actor, institution_id: int, code: str, draft: VersionDraft) -> Service:
    """Add a service with its first version."""
    office = managed(actor, institution_id)
    if not code.strip():
        raise Invalid.one("code", _("Must not be empty."))
    row = Service(institution=office, code=code.strip()[:64])
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("There is a service with this code already.")) from error
    record(actor, Act("homecare.service.add", row, office.place_id, data={"code": row.code}))
    publish(actor, row.pk, draft)
    return row


@transaction.atomic
def publish(actor: Actor, service_id: int, draft: VersionDraft) -> ServiceVersion:
    """Publish a version from its day on: today at the earliest, and after the newest one. No version ever changes."""
    row = Service.objects.select_for_update().get(pk=selectors.service(actor, service_id).pk)
    office = row.institution
    require(actor, MANAGE, office.place)
    if row.closed_at is not None:
        raise Conflict(_("This service is closed."))
    today = selectors.day_at(office.place)
    since = draft.since or today
    newest = row.versions.order_by("-since").first()
    errors = [*_texts(draft), *_figures(draft)]
    if since < today or (newest is not None and since <= newest.since):
        first = max(today, newest.since) if newest is not None else today
        errors.append(FieldError("since", _("A day after %(day)s: versions in use are not changed.") % {"day": first}))
    if errors:
        raise Invalid(*errors)
    made = ServiceVersion.objects.create(
        service=row,
        number=newest.number + 1 if newest is not None else 1,
        since=since,
        published_at=timezone.now(),
        performers=[_performer(one) for one in draft.performers],
        **_columns(draft),
    )
    data = {"number": made.number, "since": since.isoformat(), "price": made.price}
    record(actor, Act("homecare.service.publish", made, office.place_id, data=data))
    follow_with_booking(actor, office)
    return made


def _texts(draft: VersionDraft) -> list[FieldError]:
    needed = ("name", "name_en", "consent", "consent_en")
    return [FieldError(name, _("Must not be empty.")) for name in needed if not getattr(draft, name).strip()]


def _figures(draft: VersionDraft) -> list[FieldError]:
    ranges = (
        ("duration_minutes", 1, LONGEST),
        ("price", 0, MOST_PRICE),
        ("insurance_share", 0, 100),
        ("assessment_days", 1, 730),
    )
    said = _("Must be a number from %(least)s to %(most)s.")
    errors = [
        FieldError(name, said % {"least": least, "most": most})
        for name, least, most in ranges
        if not least <= getattr(draft, name) <= most
    ]
    if draft.second not in Second.values:
        errors.append(FieldError("second", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(Second.values)}))
    if len(draft.performers) != (1 if draft.second == Second.NONE else 2):
        errors.append(FieldError("performers", _("A double service says of both people what they must be.")))
    if draft.second == Second.SEQUENTIAL and not 0 <= draft.gap_least <= draft.gap_most <= 24 * 60:
        errors.append(FieldError("gap_most", _("From the least gap to a day, in minutes.")))
    if draft.second != Second.SEQUENTIAL and (draft.gap_least or draft.gap_most):
        errors.append(FieldError("gap_most", _("A gap stands between two visits one after the other only.")))
    return errors


def _performer(draft: PerformerDraft) -> dict[str, Any]:
    if draft.least_rank not in codes.Rank.values:
        raise Invalid.one("least_rank", _("Must be a number from %(least)s to %(most)s.") % {"least": 1, "most": 5})
    if not 0 <= draft.least_years <= 60:
        raise Invalid.one("least_years", _("Must be a number from %(least)s to %(most)s.") % {"least": 0, "most": 60})
    return asdict(draft) | {
        "professions": chosen("professions", draft.professions, codes.Profession.values),
        "skills": chosen("skills", draft.skills, codes.Skill.values),
    }


def _material(read: Mapping[str, Any]) -> dict[str, Any]:
    quantity = read.get("quantity", 1)
    if not str(read.get("name", "")).strip() or isinstance(quantity, bool) or not isinstance(quantity, (int, float)):
        raise Invalid.one("materials", _("Each material has a name and a quantity."))
    if not 0 < quantity <= 10_000:
        raise Invalid.one("materials", _("Each material has a name and a quantity."))
    texts = {name: str(read.get(name, "")).strip()[:80] for name in ("name", "name_en", "unit")}
    return texts | {"quantity": quantity}


def _columns(draft: VersionDraft) -> dict[str, Any]:
    from shoufu.scenes.homecare.assessment.instruments import newest

    plain = ("duration_minutes", "price", "insurance_share", "second", "gap_least", "gap_most", "assessment_days")
    columns: dict[str, Any] = {name: getattr(draft, name) for name in plain}
    columns |= {name: getattr(draft, name).strip() for name in ("name", "name_en", "what", "what_en")}
    return columns | {
        "consent": draft.consent.strip()[:4000],
        "consent_en": draft.consent_en.strip()[:4000],
        "materials": [_material(one) for one in draft.materials],
        "contraindications": chosen("contraindications", draft.contraindications, codes.Flag.values),
        "instruments": chosen("instruments", draft.instruments, newest()),
        "needs_prescription": draft.needs_prescription,
        "needs_assessment": draft.needs_assessment,
    }


@transaction.atomic
def close_service(actor: Actor, service_id: int, reason: str) -> Service:
    """Do a service no longer; what was agreed before keeps its version."""
    row = Service.objects.select_for_update().get(pk=selectors.service(actor, service_id).pk)
    require(actor, MANAGE, row.institution.place)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    if row.closed_at is None:
        row.closed_at = timezone.now()
        row.save(update_fields=["closed_at"])
        record(actor, Act("homecare.service.close", row, row.institution.place_id, reason=reason.strip()))
        follow_with_booking(actor, row.institution)
    return row
