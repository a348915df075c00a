"""What physicians prescribed: written down by the patient or staff, checked against the original by staff."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.kernel.parties.models import Person
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.services.common import opened, sealed
from shoufu.scenes.homecare.visits import selectors
from shoufu.scenes.homecare.visits.models import Prescription

DOCUMENT = "homecare.prescription"
TEXTS = ("drug", "dose", "route", "prescriber", "hospital")
LONGEST = timedelta(days=366)
MOST_USES = 100


@dataclass(frozen=True)
class PrescriptionDraft:
    """As it stands on paper; it holds from `issued_on` up to `last_day`, for `uses` visits."""

    patient: int
    service: int
    issued_on: date
    last_day: date
    drug: str
    dose: str
    prescriber: str
    hospital: str
    route: str = ""
    uses: int = 1


@dataclass(frozen=True)
class Written:
    """What is written in a prescription, in clear."""

    drug: str = ""
    dose: str = ""
    route: str = ""
    prescriber: str = ""
    hospital: str = ""


def _act(action: str, row: Prescription, reason: str = "", **data: object) -> Act:
    patient = row.patient
    return Act(f"homecare.prescription.{action}", row, patient.place_id, reason, data, subject=patient.person_id)


@transaction.atomic
def add_prescription(actor: Actor, draft: PrescriptionDraft, *, mine: bool = False) -> Prescription:
    """Write a prescription down, for oneself (`mine`) or a patient one cares for. It counts once it was checked."""
    patient = registry.own_patient(actor, draft.patient) if mine else register.patient(actor, draft.patient)
    if patient.ended_at is not None:
        raise Conflict(_("This person's home care has ended."))
    version = register.version_on(draft.service, register.day_at(patient.place))
    if version is None or version.service.institution_id != patient.institution_id:
        raise Invalid.one("service", _("Choose a service of the patient's institution."))
    if not version.needs_prescription:
        raise Invalid.one("service", _("This service needs no prescription."))
    if errors := _errors(draft, patient):
        raise Invalid(*errors)
    written = {name: getattr(draft, name).strip()[:200] for name in TEXTS}
    row = Prescription.objects.create(
        patient=patient,
        service=version.service,
        document=sealed(patient.person_id, written, DOCUMENT),
        issued_on=draft.issued_on,
        last_day=draft.last_day,
        uses=draft.uses,
        made_at=timezone.now(),
        made_by_id=actor.user_id,
    )
    record(actor, _act("add", row, service=row.service_id, last_day=row.last_day.isoformat()))
    return row


def _errors(draft: PrescriptionDraft, patient: Patient) -> list[FieldError]:
    today = register.day_at(patient.place)
    needed = ("drug", "dose", "prescriber", "hospital")
    errors = [FieldError(name, _("Must not be empty.")) for name in needed if not getattr(draft, name).strip()]
    if draft.issued_on > today:
        errors.append(FieldError("issued_on", _("A day that has already come.")))
    if draft.last_day < max(draft.issued_on, today):
        errors.append(FieldError("last_day", _("It has lapsed already; a new prescription is needed.")))
    elif draft.last_day - draft.issued_on > LONGEST:
        errors.append(FieldError("last_day", _("At most a year after it was issued.")))
    if not 1 <= draft.uses <= MOST_USES:
        said = _("Must be a number from %(least)s to %(most)s.") % {"least": 1, "most": MOST_USES}
        errors.append(FieldError("uses", said))
    return errors


@transaction.atomic
def look_at(actor: Actor, prescription_id: int, *, mine: bool = False) -> Written:
    """What is written in one; a look of staff is recorded, the patient can read it."""
    row = selectors.prescription(actor, prescription_id, mine=mine)
    if not mine:
        record(actor, _act("look", row))
    return written_in(row)


def written_in(row: Prescription) -> Written:
    """The document in clear; for callers that leave the audit entry themselves."""
    kept = Prescription.objects.values_list("document", flat=True).get(pk=row.pk)
    person = row.patient.person_id
    found = opened(subjects.known_keys([person]).get(person), kept, person, DOCUMENT)
    return Written(**found) if found else Written()


def _to_judge(actor: Actor, prescription_id: int) -> Prescription:
    row = selectors.prescription(actor, prescription_id)
    if not actor.may(register.PATIENTS, row.patient.place.path) and not actor.may_anywhere(register.CARE):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": register.PATIENTS})
    if Person.objects.filter(pk=row.patient.person_id, user=actor.user_id).exclude(user=None).exists():
        raise Conflict(_("Nobody checks their own prescription."))
    return row


@transaction.atomic
def check_prescription(actor: Actor, prescription_id: int) -> Prescription:
    """A nurse or coordinator saw the original: visits may rest on it from now on."""
    seen = _to_judge(actor, prescription_id)
    row = Prescription.objects.select_for_update(of=("self",)).select_related("patient").get(pk=seen.pk)
    if row.revoked_at is not None:
        raise Conflict(_("The prescription was revoked."))
    if row.checked_at is None:
        row.checked_at, row.checked_by_id = timezone.now(), actor.user_id
        row.save(update_fields=["checked_at", "checked_by"])
        record(actor, _act("check", row))
    return row


@transaction.atomic
def revoke_prescription(actor: Actor, prescription_id: int, reason: str) -> Prescription:
    """It counts no more: wrong, replaced, or called back by who prescribed it."""
    seen = _to_judge(actor, prescription_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    row = Prescription.objects.select_for_update(of=("self",)).select_related("patient").get(pk=seen.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        record(actor, _act("revoke", row, reason.strip()))
    return row
