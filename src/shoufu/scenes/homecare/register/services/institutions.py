from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.register import selectors
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.register.services.common import MANAGE, managed


@dataclass(frozen=True)
class InstitutionDraft:
    """A medical organisation with its licence; it serves `place` and what lies in it. The last day still counts."""

    organisation: int
    place: int
    licence_number: str
    licence_last_day: date


@transaction.atomic
def add_institution(actor: Actor, draft: InstitutionDraft) -> Institution:
    """Let an organisation give home care below a place."""
    organisation = selectors.candidates(actor).filter(pk=draft.organisation).first()
    place = limit(Place.objects.filter(closed_at__isnull=True), actor, MANAGE, "path").filter(pk=draft.place).first()
    errors = []
    if organisation is None:
        errors.append(FieldError("organisation", _("Choose a medical organisation that is not registered yet.")))
    if place is None:
        errors.append(FieldError("place", _("Choose a place where you manage home care.")))
    if not draft.licence_number.strip():
        errors.append(FieldError("licence_number", _("Must not be empty.")))
    if errors or organisation is None or place is None:
        raise Invalid(*errors)
    row = Institution(
        organisation=organisation,
        place=place,
        licence_number=draft.licence_number.strip()[:64],
        licence_last_day=draft.licence_last_day,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("An institution with this licence is registered already.")) from error
    record(actor, Act("homecare.institution.add", row, place.pk, data={"licence": row.licence_number}))
    return row


@transaction.atomic
def renew_institution(actor: Actor, institution_id: int, last_day: date) -> Institution:
    """Note the new last day of an institution's licence."""
    row = managed(actor, institution_id)
    before, row.licence_last_day = row.licence_last_day, last_day
    row.save(update_fields=["licence_last_day"])
    data = {"before": before.isoformat(), "after": last_day.isoformat()}
    record(actor, Act("homecare.institution.renew", row, row.place_id, data=data))
    return row


@transaction.atomic
def suspend_institution(actor: Actor, institution_id: int, reason: str, *, resume: bool = False) -> Institution:
    """Stop an institution's home care for now, or let it go on."""
    row = managed(actor, institution_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    row.suspended_at = None if resume else row.suspended_at or timezone.now()
    row.save(update_fields=["suspended_at"])
    action = "homecare.institution.resume" if resume else "homecare.institution.suspend"
    record(actor, Act(action, row, row.place_id, reason=reason.strip()))
    return row
