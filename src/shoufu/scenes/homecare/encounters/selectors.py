from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import subtree
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.scenes.homecare.encounters.documents import VITALS
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Overdue, Sos
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import selectors as visits

OPEN_RESULTS = (Operation.Result.HELD, Operation.Result.CONFLICT, Operation.Result.REFUSED)


_SEALED = (
    "visit__note",
    "visit__patient__access",
    "visit__patient__health",
    "patient__access",
    "patient__health",
)


def _rows() -> QuerySet[Encounter]:
    return Encounter.objects.select_related(
        "visit__patient__person", "visit__version", "visit__service", "visit__place",
        "visit__institution__organisation", "visit__institution__place", "practitioner__person",
        "practitioner__institution__place", "patient__person", "patient__household__place__parent__parent",
        "place__parent__parent",
    ).defer(*_SEALED)  # fmt: skip


def encounters(actor: Actor) -> QuerySet[Encounter]:
    """Encounters of the visits that the actor may see, and those that they wrote themselves; nothing of what was
    written: that takes a recorded look."""
    rows = _rows()
    if actor.is_system:
        return rows
    own = Q(practitioner__in=register.practices(actor).values("pk"))
    return rows.filter(Q(visit__in=visits.visits(actor).order_by().values("pk")) | own)


def own(actor: Actor) -> QuerySet[Encounter]:
    """What was done at the actor's own home, and at that of people for whom they may act."""
    return _rows().filter(patient__in=register.own(actor).values("pk"))


def encounter(actor: Actor, encounter_id: int, *, mine: bool = False) -> Encounter:
    """One of them; NotFound otherwise."""
    found = (own(actor) if mine else encounters(actor)).filter(pk=encounter_id).first()
    if found is None:
        raise NotFound(_("There is no encounter %(id)s that you may see.") % {"id": encounter_id})
    return found


def operations(actor: Actor) -> QuerySet[Operation]:
    """Lines of phones of the visits that the actor may see, and their own ones."""
    rows = Operation.objects.select_related(
        "visit__patient__person", "visit__version", "visit__place", "practitioner__person", "encounter", "settled_by"
    ).defer("content", "visit__note", "visit__patient__access", "visit__patient__health")
    if actor.is_system:
        return rows
    mine = Q(practitioner__in=register.practices(actor).values("pk"))
    return rows.filter(Q(visit__in=visits.visits(actor).order_by().values("pk")) | mine)


def conflicts(actor: Actor) -> QuerySet[Operation]:
    """Lines that somebody must look at, or that were looked at: in conflict, refused, or waiting for earlier ones."""
    return operations(actor).filter(result__in=OPEN_RESULTS).order_by("-known_at")


def _at_places(actor: Actor, field: str) -> Q:
    """The coordinator's places and institution; whoever gives care sees their own ones."""
    office = subtree(actor.paths(register.PATIENTS), field)
    offices = register.offices(actor)
    if offices:
        office &= Q(practitioner__institution__in=offices)
    return office | Q(practitioner__in=register.practices(actor).values("pk"))


def alarms(actor: Actor) -> QuerySet[Sos]:
    """Calls for help of the people whom the actor coordinates, and their own."""
    rows = Sos.objects.select_related("practitioner__person", "case", "visit", "place__parent__parent")
    return rows if actor.is_system else rows.filter(_at_places(actor, "place__path"))


def overdue(actor: Actor) -> QuerySet[Overdue]:
    """Missed check-ins and check-outs, the newest first."""
    rows = Overdue.objects.select_related("practitioner__person", "case", "visit__place", "visit__version")
    return rows if actor.is_system else rows.filter(_at_places(actor, "visit__place__path"))


@dataclass(frozen=True)
class Vital:
    """One value that was measured at a visit: the code of `documents.VITALS`, LOINC and UCUM codes beside it."""

    id: str
    encounter: int
    patient: int
    practitioner: int
    at: datetime
    code: str
    loinc: str
    value: float
    unit: str
    ucum: str
    context: str
    device: str


def observations(actor: Actor, *, patient: int | None = None, encounter: int | None = None) -> Iterator[Vital]:
    """Vital signs in clear, as FHIR Observations need them. The caller records the look."""
    rows = Entry.objects.filter(kind=Entry.Kind.VITALS, encounter__in=encounters(actor).order_by().values("pk"))
    if patient is not None:
        rows = rows.filter(encounter__patient=patient)
    if encounter is not None:
        rows = rows.filter(encounter=encounter)
    yield from _vitals(rows.select_related("encounter__patient"))


def _vitals(rows: QuerySet[Entry]) -> Iterator[Vital]:
    from shoufu.scenes.homecare.encounters.services.common import LINE, clear_with

    listed = list(rows.order_by("pk"))
    keys = subjects.known_keys({one.encounter.patient.person_id for one in listed})
    for one in listed:
        person = one.encounter.patient.person_id
        content = clear_with(keys.get(person), person, one.content, LINE)
        for code, value in content["values"].items():
            quantity = VITALS[code]
            yield Vital(
                f"{one.pk}.{code}", one.encounter_id, one.encounter.patient_id, one.author_id, one.at, code,
                quantity.loinc, value, quantity.unit, quantity.ucum, content.get("context", ""),
                content.get("device", ""),
            )  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """Who wrote what when, for FHIR Provenance; nothing of what it says."""

    entry: int
    encounter: int
    patient: int
    kind: str
    number: int
    at: datetime
    known_at: datetime
    author: int
    line: str


def facts(actor: Actor, *, patient: int | None = None, encounter: int | None = None) -> Iterator[Fact]:
    """The provenance of every entry that the actor may see."""
    rows = Entry.objects.filter(encounter__in=encounters(actor).order_by().values("pk")).select_related("encounter")
    if patient is not None:
        rows = rows.filter(encounter__patient=patient)
    if encounter is not None:
        rows = rows.filter(encounter=encounter)
    for one in rows.defer("content").order_by("pk"):
        yield Fact(
            one.pk, one.encounter_id, one.encounter.patient_id, one.kind, one.number, one.at, one.known_at,
            one.author_id, str(one.operation_id or ""),
        )  # fmt: skip
