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
from shoufu.scenes.homecare.encounters.services import doubts
from shoufu.scenes.homecare.encounters.services.common import LINE, act, clear, keep, next_number
from shoufu.scenes.homecare.encounters.services.handlers import VERSIONED, everybody_out
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.locking import lock_booking
from shoufu.scenes.homecare.visits.models import Visit

DOORS = ("check_in", "check_out", "missed")
NUMBER = re.compile(r"^\+?[0-9]{3,19}$")


@transaction.atomic
def settle(actor: Actor, operation_id: UUID, note: str, *, take: bool = False, also: bool = False) -> Operation:
    """A line in conflict was looked at: `note` says what was decided; it stays readable either way.

    With `take` it counts: what it says becomes the newest entry of its kind (a record that was written on two devices);
    a check-in that was refused begins the visit, a visit that could not take place is closed, and one that was held up
    by doubts is done where everybody has checked out. `also`: the same for the other lines of this record that are kept
    and in doubt. Doubts are the coordinator's to settle.
    """
    row = _locked(actor, operation_id)
    if not note.strip():
        raise Invalid.one("note", _("Say what was decided; the nurse reads it."))
    if row.settled_at is not None:
        raise Conflict(_("Somebody settled this already."))
    rows = [row, *(alike(row) if also else ())]
    if take or row.problem.get("doubts"):
        require(actor, register.PATIENTS, row.visit.place)
    for one in rows:
        one.settled_at, one.settled_by_id, one.settled_note = timezone.now(), actor.user_id, note.strip()[:300]
        one.save(update_fields=["settled_at", "settled_by", "settled_note"])
        record(actor, act("homecare.encounter.settle", one, row.visit, taken=take))
    if take:
        for one in rows:
            _take(actor, one)
    return row


def doubtful(row: Operation) -> bool:
    """Whether a line keeps its visit from being done: doubts, or a step at the door that was refused."""
    return bool(row.problem.get("doubts")) or row.kind in DOORS


def alike(row: Operation) -> list[Operation]:
    rows = Operation.objects.filter(encounter=row.encounter_id, result=Operation.Result.CONFLICT).exclude(pk=row.pk)
    found = rows.filter(encounter__isnull=False, settled_at__isnull=True, problem__reason=doubts.REASON)
    return list(found.select_related("visit__patient__person", "visit__place", "encounter", "practitioner"))


def _locked(actor: Actor, operation_id: UUID) -> Operation:
    seen = selectors.operations(actor).filter(pk=operation_id).first()
    if seen is None:
        raise NotFound(_("There is no such line that you may see."))
    lock_booking(seen.visit_id)
    rows = Operation.objects.select_for_update(of=("self",)).select_related(
        "visit__patient__person", "visit__place", "encounter", "practitioner"
    )
    row = rows.get(pk=operation_id)
    mine = register.practices(actor).filter(pk=row.practitioner_id).exists()
    if not mine:
        require(actor, register.PATIENTS, row.visit.place)
    return row


def _take(actor: Actor, row: Operation) -> None:
    if row.encounter is None or row.result != Operation.Result.CONFLICT:
        raise Conflict(_("This line cannot be taken over; say what was decided."))
    if row.kind in DOORS:
        _accept(actor, row, row.encounter)
    elif row.problem.get("reason") != doubts.REASON:
        _rewrite(row)
    if doubtful(row):
        _counts(actor, row, row.encounter)


def _accept(actor: Actor, row: Operation, done: Encounter) -> None:
    """The visit was given though it was refused or doubted at the door: it counts, by the times of who gave it."""
    from shoufu.scenes.homecare.visits import services

    if not row.visit.stops.filter(practitioner=row.practitioner_id).exists():
        raise Conflict(_("This visit is planned for somebody else; it cannot count as theirs."), reason="elsewhere")
    if row.kind == "missed":
        services.miss(actor, row.visit_id, row.at, done.end_cause)
    elif row.kind == "check_in" and done.in_at is not None:
        services.accept(actor, row.visit_id, done.in_at)
    elif row.kind == "check_in" or done.out_at is None:
        raise Conflict(_("This line cannot be taken over; say what was decided."))


def _counts(actor: Actor, row: Operation, done: Encounter) -> None:
    """Nothing in doubt is left: the visit is done where everybody has checked out."""
    from shoufu.scenes.homecare.visits import services

    left = Operation.objects.filter(encounter=done, result=Operation.Result.CONFLICT, settled_at__isnull=True)
    if any(doubtful(one) for one in left):
        return
    Encounter.objects.filter(pk=done.pk).update(contested=False)
    sent = row.visit.stops.filter(practitioner=row.practitioner_id).exists()
    # Also of one that is done: who else was there is named for the settlement then.
    given = Visit.objects.filter(pk=row.visit_id, state__in=(Visit.State.UNDERWAY, Visit.State.DONE)).exists()
    if sent and given and done.state == Encounter.State.FINISHED and everybody_out(row.visit):
        last = Encounter.objects.filter(visit=row.visit, state=Encounter.State.FINISHED).aggregate(at=Max("out_at"))
        services.finish(actor, row.visit_id, last["at"])


def _rewrite(row: Operation) -> None:
    """What was written upon something older becomes the newest entry."""
    if row.kind not in VERSIONED:
        raise Conflict(_("This line cannot be taken over; say what was decided."))
    person = row.visit.patient.person_id
    kept = clear(person, row.content, LINE)
    document = documents.read(row.kind, kept["content"])
    assert row.encounter is not None
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
