from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.base.memory import forget
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import home_of
from shoufu.scenes.homecare.register import codes, selectors
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner
from shoufu.scenes.homecare.register.selectors import Health
from shoufu.scenes.homecare.register.services.common import (
    ACCESS,
    HEALTH,
    chosen,
    opened,
    person_named,
    sealed,
)

SEXES = ("", "female", "male")


@dataclass(frozen=True)
class PatientDraft:
    """Whom an institution cares for, by name and phone number as registered; `access` says how to get in."""

    name: str
    phone: str
    access: str = ""
    health: Health = Health()


def _act(action: str, row: Patient, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.person_id, data=data)


@transaction.atomic
def add_patient(actor: Actor, institution_id: int, draft: PatientDraft) -> Patient:
    """Register a person for home care. They must live where the institution serves."""
    office = selectors.institution(actor, institution_id)
    require(actor, selectors.PATIENTS, office.place)
    person = person_named(draft.name, draft.phone, office)
    return _register(actor, office, person, draft)


def _register(actor: Actor, office: Institution, person: Person, draft: PatientDraft) -> Patient:
    home = home_of(person.pk)
    place = home.place if home is not None else person.place
    if not place.path.startswith(office.place.path):
        raise Conflict(_("They live outside the places that this institution serves."))
    row = Patient(
        person=person,
        institution=office,
        household=home,
        place=place,
        since=timezone.now(),
        access=sealed(person.pk, draft.access.strip()[:1000], ACCESS),
        health=sealed(person.pk, _document(draft.health), HEALTH),
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("They are a patient of this institution already.")) from error
    record(actor, _act("homecare.patient.add", row, institution=office.pk))
    forget()
    return row


def _document(health: Health) -> dict[str, object]:
    if health.sex not in SEXES:
        raise Invalid.one("sex", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(SEXES[1:])})
    return {
        "allergies": health.allergies.strip()[:1000],
        "conditions": health.conditions.strip()[:2000],
        "flags": chosen("flags", health.flags, codes.Flag.values),
        "sex": health.sex,
    }


def _locked(actor: Actor, patient_id: int) -> Patient:
    seen = selectors.patient(actor, patient_id)
    rows = Patient.objects.select_for_update(of=("self",)).select_related("person", "place", "institution__place")
    row = rows.get(pk=seen.pk)
    if row.ended_at is not None:
        raise Conflict(_("This person's home care has ended."))
    return row


@dataclass(frozen=True)
class Shown:
    """What a recorded look shows: how to get in, and the health data."""

    patient: Patient
    access: str
    health: Health


@transaction.atomic
def look(actor: Actor, patient_id: int, reason: str) -> Shown:
    """A patient's access notes and health data. Leaves an audit entry with the reason, which they can read."""
    seen = selectors.patient(actor, patient_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why you look; the person can read it."))
    record(actor, _act("homecare.patient.look", seen, reason.strip()))
    return shown(seen)


def shown(row: Patient) -> Shown:
    """The data in clear; for callers that leave the audit entry themselves, and for the pure rules."""
    read = row.get_deferred_fields().isdisjoint(("access", "health"))
    kept = row if read else Patient.objects.only("access", "health").get(pk=row.pk)
    key = subjects.known_keys([row.person_id]).get(row.person_id)
    health = opened(key, kept.health, row.person_id, HEALTH) or {}
    found = Health(**health | {"flags": tuple(health.get("flags", ()))})
    return Shown(row, opened(key, kept.access, row.person_id, ACCESS) or "", found)


@dataclass(frozen=True)
class PatientChange:
    """What changes; None leaves it as it is."""

    access: str | None = None
    allergies: str | None = None
    conditions: str | None = None
    flags: Sequence[str] | None = None
    sex: str | None = None


@transaction.atomic
def change_patient(actor: Actor, patient_id: int, wanted: PatientChange) -> Patient:
    """Change access notes and health data: by the coordinator, or by a nurse who cares for them."""
    row = _locked(actor, patient_id)
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    access = given.pop("access", None)
    if access is not None:
        row.access = sealed(row.person_id, access.strip()[:1000], ACCESS)
    if given:
        health = replace(shown(row).health, **given)
        row.health = sealed(row.person_id, _document(health), HEALTH)
    row.save(update_fields=["access", "health"])
    record(
        actor, _act("homecare.patient.change", row, fields=sorted(k for k, v in vars(wanted).items() if v is not None))
    )
    return row


@transaction.atomic
def assign(actor: Actor, patient_id: int, practitioners: Sequence[int]) -> Patient:
    """Say who cares for a patient: people of the same institution who have not left."""
    row = _locked(actor, patient_id)
    require(actor, selectors.PATIENTS, row.place)
    found = Practitioner.objects.filter(pk__in=practitioners, institution=row.institution_id, left_at__isnull=True)
    if found.count() != len(set(practitioners)):
        raise Invalid.one("practitioners", _("Choose people of the patient's institution."))
    row.nurses.set(found)
    record(actor, _act("homecare.patient.assign", row, practitioners=sorted(set(practitioners))))
    return row


@transaction.atomic
def end_patient(actor: Actor, patient_id: int, reason: str) -> Patient:
    """End a person's home care, with everything that is open in it."""
    from shoufu.scenes.homecare.assessment.services import cancel_open
    from shoufu.scenes.homecare.visits.services.ending import end_of_patient

    row = _locked(actor, patient_id)
    if not actor.may(selectors.PATIENTS, row.place.path):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": selectors.PATIENTS})
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    cancel_open(actor, [row], reason.strip())
    close(actor, row, "ended", reason.strip())
    end_of_patient(actor, Ending(row.person_id, timezone.now(), "ended", reason.strip()))
    return row


def close(actor: Actor, row: Patient, cause: str, reason: str) -> None:
    """End one row, with its care plans; the caller's transaction ended what else was open."""
    from shoufu.scenes.homecare.careplans.services.plans import end_open

    end_open(actor, row, cause, reason)
    row.ended_at, row.end_cause = timezone.now(), cause
    row.save(update_fields=["ended_at", "end_cause"])
    row.nurses.clear()
    record(actor, _act("homecare.patient.end", row, reason, cause=cause))
    forget()


def own_patient(actor: Actor, patient_id: int) -> Patient:
    """The actor's own care, or that of one for whom they may act; NotFound otherwise."""
    found = selectors.own_one(actor, patient_id)
    if found is None:
        raise NotFound(_("There is no patient %(id)s that you may see.") % {"id": patient_id})
    return found
