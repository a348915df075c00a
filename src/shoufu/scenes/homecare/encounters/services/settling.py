"""What people decide about encounters: conflicts settled, addenda written at a desk, the institution's rules."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.encounters import documents, selectors
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Rules
from shoufu.scenes.homecare.encounters.services.common import LINE, act, clear, keep, next_number
from shoufu.scenes.homecare.encounters.services.handlers import VERSIONED, everybody_out
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.models import Visit

NUMBER = re.compile(r"^\+?[0-9]{3,19}$")


@transaction.atomic
def settle(actor: Actor, operation_id: UUID, note: str, *, take: bool = False) -> Operation:
    """A line in conflict was looked at: `note` says what was decided. With `take`, what it says becomes the newest
    entry of its kind (a record that was written on two devices); a check-in that was refused begins the visit, and ends
    it where everybody has checked out. It stays readable either way."""
    row = _locked(actor, operation_id)
    if not note.strip():
        raise Invalid.one("note", _("Say what was decided; the nurse reads it."))
    if row.settled_at is not None:
        raise Conflict(_("Somebody settled this already."))
    if take and row.kind == "check_in":
        _accept(actor, row)
    elif take:
        _take(row)
    row.settled_at, row.settled_by_id, row.settled_note = timezone.now(), actor.user_id, note.strip()[:300]
    row.save(update_fields=["settled_at", "settled_by", "settled_note"])
    record(actor, act("homecare.encounter.settle", row, row.visit, taken=take))
    return row


def _locked(actor: Actor, operation_id: UUID) -> Operation:
    seen = selectors.operations(actor).filter(pk=operation_id).first()
    if seen is None:
        raise NotFound(_("There is no such line that you may see."))
    rows = Operation.objects.select_for_update(of=("self",)).select_related(
        "visit__patient__person", "visit__place", "encounter", "practitioner"
    )
    row = rows.get(pk=operation_id)
    mine = register.practices(actor).filter(pk=row.practitioner_id).exists()
    if not mine:
        require(actor, register.PATIENTS, row.visit.place)
    return row


def _accept(actor: Actor, row: Operation) -> None:
    """The visit was given though it was refused at the door: it counts, by the times of who gave it."""
    from shoufu.scenes.homecare.visits import services

    done = row.encounter
    if done is None or done.in_at is None or row.result != Operation.Result.CONFLICT:
        raise Conflict(_("This line cannot be taken over; say what was decided."))
    if not row.visit.stops.filter(practitioner=row.practitioner_id).exists():
        raise Conflict(_("This visit is planned for somebody else; it cannot count as theirs."))
    services.accept(actor, row.visit_id, done.in_at)
    Encounter.objects.filter(pk=done.pk).update(contested=False)
    if done.state == Encounter.State.FINISHED and done.out_at is not None and everybody_out(row.visit):
        last = Encounter.objects.filter(visit=row.visit, state=Encounter.State.FINISHED).aggregate(at=Max("out_at"))
        services.finish(actor, row.visit_id, last["at"])


def _take(row: Operation) -> None:
    if row.kind not in VERSIONED or row.encounter is None or row.result != Operation.Result.CONFLICT:
        raise Conflict(_("This line cannot be taken over; say what was decided."))
    person = row.visit.patient.person_id
    kept = clear(person, row.content, LINE)
    document = documents.read(row.kind, kept["content"])
    Entry.objects.create(
        encounter=row.encounter,
        kind=row.kind,
        number=next_number(row.encounter, row.kind),
        at=row.at,
        known_at=timezone.now(),
        author=row.practitioner,
        operation=row,
        content=keep(person, documents.plain(document), LINE),
    )


@transaction.atomic
def add(actor: Actor, encounter_id: int, text: str, of: str = "") -> Entry:
    """An addendum at a desk, by whoever wrote the encounter or another practitioner of the institution."""
    seen = selectors.encounter(actor, encounter_id)
    row = (
        Encounter.objects.select_for_update(of=("self",))
        .select_related("visit__patient", "visit__place")
        .get(pk=seen.pk)
    )
    author = register.practices(actor).filter(institution=row.visit.institution_id).first()
    if author is None:
        raise Forbidden(_("Only who gives care for this institution writes in its records."))
    document = documents.read("addendum", {"text": text.strip(), "of": of})
    now = timezone.now()
    entry = Entry.objects.create(
        encounter=row,
        kind=Entry.Kind.ADDENDUM,
        number=next_number(row, Entry.Kind.ADDENDUM),
        at=now,
        known_at=now,
        author=author,
        content=keep(row.visit.patient.person_id, documents.plain(document), LINE),
    )
    record(actor, act("homecare.encounter.write", row, row.visit, kind="addendum", number=entry.number))
    return entry


@transaction.atomic
def finish_without(actor: Actor, visit_id: int, reason: str) -> Visit:
    """A double service whose second person never came, or never checked out: the coordinator ends the visit."""
    from shoufu.scenes.homecare.visits import selectors as visits
    from shoufu.scenes.homecare.visits import services

    visit = visits.visit(actor, visit_id)
    require(actor, register.PATIENTS, visit.place)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    last = Encounter.objects.filter(visit=visit, state=Encounter.State.FINISHED).order_by("-out_at").first()
    if last is None or last.out_at is None:
        raise Conflict(_("Nobody has checked out of this visit."))
    record(actor, act("homecare.encounter.finish_without", last, visit, reason.strip()))
    return services.finish(actor, visit.pk, last.out_at)


@dataclass(frozen=True)
class RulesDraft:
    radius: int
    grace: int
    alarm_number: str = ""
    trace: bool = False


@transaction.atomic
def set_rules(actor: Actor, institution_id: int, draft: RulesDraft) -> Rules:
    """Say how an institution wants its visits done."""
    office = register.institution(actor, institution_id)
    require(actor, register.MANAGE, office.place)
    errors = []
    if not 20 <= draft.radius <= 5000:
        errors.append(FieldError("radius", _("From %(least)s to %(most)s.") % {"least": 20, "most": 5000}))
    if not 5 <= draft.grace <= 240:
        errors.append(FieldError("grace", _("From %(least)s to %(most)s.") % {"least": 5, "most": 240}))
    number = draft.alarm_number.replace(" ", "").replace("-", "")
    if number and not NUMBER.match(number):
        errors.append(FieldError("alarm_number", _("A phone number that takes text messages, such as 13800138000.")))
    if errors:
        raise Invalid(*errors)
    row, _made = Rules.objects.update_or_create(
        institution=office,
        defaults={"radius": draft.radius, "grace": draft.grace, "alarm_number": number, "trace": draft.trace},
    )
    record(actor, Act("homecare.encounter.rules", row, office.place_id, data={"trace": draft.trace}))
    return row
