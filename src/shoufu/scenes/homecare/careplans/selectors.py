"""What may be seen of care plans. Rows come without what is encrypted: values take a look (`services.looks`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.access.models import User
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.scenes.homecare.careplans import guidelines
from shoufu.scenes.homecare.careplans.models import (
    CarePlan,
    Done,
    Finding,
    FollowUp,
    Goal,
    Handover,
    HomeDevice,
    Reading,
    Revision,
    Task,
)
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.eligibility import usable
from shoufu.scenes.homecare.register.facts import practice
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.common import opened

VIEW, WRITE, DOCTOR = "homecare.chronic", "homecare.plan", "homecare.doctor"
VALUES = "homecare.reading"
DOCTORS = ("physician", "tcm_physician")


def zone_of(row: Patient) -> ZoneInfo:
    return ZoneInfo(row.place.time_zone)


def today_of(row: Patient) -> date:
    return register.day_at(row.place)


def patients(actor: Actor, *, ended: bool = False) -> QuerySet[Patient]:
    """The patients whose plans the actor may see as staff."""
    rows = register.patients(actor, ended=ended)
    return rows if actor.may_anywhere(VIEW) else rows.none()


def _visible(actor: Actor, mine: bool) -> QuerySet[Patient]:
    return register.own(actor) if mine else patients(actor, ended=True)


def patient(actor: Actor, patient_id: int, *, mine: bool = False) -> Patient:
    """One of the actor's patients; with `mine` the actor's own care, or that of who lets them act."""
    found = _visible(actor, mine).filter(pk=patient_id).first()
    if found is None:
        raise NotFound(_("There is no patient %(id)s that you may see.") % {"id": patient_id})
    return found


def plans(actor: Actor, *, mine: bool = False, ended: bool = True) -> QuerySet[CarePlan]:
    """Care plans of the actor's patients, the newest first, without the note; with `mine` the actor's own."""
    rows = CarePlan.objects.select_related(
        "patient__person", "patient__place", "patient__institution__place", "patient__institution__organisation",
        "place", "author__person",
    ).defer(
        "note", "end_reason", "patient__access", "patient__health", "patient__person__phone",
        "patient__person__identity",
    )  # fmt: skip
    rows = rows if ended else rows.filter(state=CarePlan.State.ACTIVE)
    if actor.is_system:
        return rows
    return rows.filter(patient__in=_visible(actor, mine).values("pk"))


def listed(actor: Actor) -> QuerySet[CarePlan]:
    """Plans for a list: with the number of open findings as `open_findings` and whether a handover runs as `handed`."""
    handed = Handover.objects.filter(plan=OuterRef("pk"), state__in=Handover.OPEN)
    return plans(actor).annotate(
        open_findings=Count("findings", filter=Q(findings__state__in=Finding.RUNNING)),
        handed=Exists(handed),
    )


def plan(actor: Actor, plan_id: int, *, mine: bool = False) -> CarePlan:
    found = plans(actor, mine=mine).filter(pk=plan_id).first()
    if found is None:
        raise NotFound(_("There is no care plan %(id)s that you may see.") % {"id": plan_id})
    return found


def guideline_of(row: CarePlan) -> chronic.Guideline:
    """The version of the guideline that a plan follows."""
    return guidelines.all_versions()[row.guideline, row.guideline_version]


def goals(row: CarePlan) -> list[Goal]:
    """The goals that hold now."""
    return list(Goal.objects.filter(plan=row, ended_at__isnull=True))


def targets(rows: Iterable[Goal]) -> tuple[chronic.Target, ...]:
    """Goals as the engine judges them."""
    return tuple(
        chronic.Target(
            one.quantity,
            float(one.low) if one.low is not None else None,
            float(one.high) if one.high is not None else None,
            one.strict,
            one.context,
            one.clause,
        )
        for one in rows
    )


def tasks(row: CarePlan) -> list[Task]:
    """The tasks that are to be done now."""
    return list(Task.objects.filter(plan=row, ended_at__isnull=True))


def revisions(row: CarePlan) -> QuerySet[Revision]:
    return Revision.objects.filter(plan=row).select_related("author__person").defer("document")


@dataclass(frozen=True)
class TaskShown:
    """A task and how it stands on a day of its place."""

    task: Task
    standing: chronic.Standing | None

    @property
    def open(self) -> bool:
        return self.standing is not None and self.standing.open


def standings(rows: Sequence[Task], patient_row: Patient, today: date | None = None) -> list[TaskShown]:
    """How tasks of one patient stand; two queries however many. Fasting tasks count fasting readings only."""
    day = today or today_of(patient_row)
    said: dict[int, list[date]] = {}
    for task_id, when in Done.objects.filter(task__in=rows).values_list("task", "day"):
        said.setdefault(task_id, []).append(when)
    kinds = {one.kind for one in rows if one.kind}
    measured = list(
        Reading.objects.filter(patient=patient_row, kind__in=kinds, void_at__isnull=True).values_list(
            "kind", "context", "day"
        )
    )
    shown = []
    for one in rows:
        days = said.get(one.pk, []) + [
            when for kind, context, when in measured if kind == one.kind and _fits(one, context)
        ]
        found = chronic.standing(one.since, one.frequency, one.period, one.unit, days, day)
        shown.append(TaskShown(one, found))
    return shown


def _fits(row: Task, context: str) -> bool:
    return row.code != "measure_fasting" or context == "fasting"


def readings(
    actor: Actor,
    *,
    mine: bool = False,
    patient_id: int | None = None,
    kind: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    void: bool = False,
) -> QuerySet[Reading]:
    """Readings of the actor's patients (`mine`: the actor's own), the newest first, without their values.

    They are health data: in clear they come from `services.looks.look` (one patient, recorded once) and
    `services.looks.export` (many, recorded once a patient). since ≤ at < until. Wrong ones only with `void`.
    """
    rows = Reading.objects.select_related("patient", "patient__place", "device").defer(
        "values", "patient__access", "patient__health"
    )
    if not actor.is_system:
        rows = rows.filter(patient__in=_visible(actor, mine).values("pk"))
    if patient_id is not None:
        rows = rows.filter(patient=patient_id)
    if kind:
        rows = rows.filter(kind=kind)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows if void else rows.filter(void_at__isnull=True)


@dataclass(frozen=True)
class Clear:
    """A reading with its values, by quantity."""

    row: Reading
    values: Mapping[str, float]

    @property
    def measured(self) -> chronic.Reading:
        """As the engine judges it."""
        return chronic.Reading(str(self.row.pk), self.row.kind, self.row.at, self.values, self.row.context)


def cleared(rows: Iterable[Reading]) -> list[Clear]:
    """Readings in clear: for services that recorded the look, and for the rules. Two queries however many; those of an
    erased person are left out."""
    listed_rows = list(rows)
    kept = dict(Reading.objects.filter(pk__in=[one.pk for one in listed_rows]).values_list("pk", "values"))
    people = {one.patient.person_id for one in listed_rows}
    keys = subjects.known_keys(people)
    found = []
    for one in listed_rows:
        key = keys.get(one.patient.person_id)
        if key is not None:
            found.append(Clear(one, opened(key, kept[one.pk], one.patient.person_id, VALUES) or {}))
    return found


def findings(actor: Actor, *, mine: bool = False, running: bool = True) -> QuerySet[Finding]:
    """What readings showed, the most urgent first; without values."""
    rows = Finding.objects.select_related(
        "plan", "patient__person", "patient__place", "patient__institution", "case", "taken_by"
    ).defer("told", "answer", "patient__access", "patient__health", "patient__person__phone")
    rows = rows.filter(state__in=Finding.RUNNING) if running else rows
    if actor.is_system:
        return rows
    return rows.filter(patient__in=_visible(actor, mine).values("pk"))


def finding(actor: Actor, finding_id: int) -> Finding:
    found = findings(actor, running=False).filter(pk=finding_id).first()
    if found is None:
        raise NotFound(_("There is no finding %(id)s that you may see.") % {"id": finding_id})
    return found


def rule_of(row: Finding) -> chronic.Rule | None:
    """The rule of the guideline that a finding comes from."""
    return guideline_of(row.plan).rule(row.rule)


def follow_ups(row: CarePlan) -> QuerySet[FollowUp]:
    return FollowUp.objects.filter(plan=row).select_related("practitioner__person").defer("document")


def handovers(actor: Actor, *, mine: bool = False) -> QuerySet[Handover]:
    """Letters by which patients were handed over; what is in them takes a look."""
    rows = Handover.objects.select_related(
        "plan__patient__person", "plan__patient__place", "plan__patient__institution__organisation",
        "sender__person", "to__person", "doctor__person",
    ).defer(
        "document", "answer", "plan__patient__access", "plan__patient__health", "plan__patient__person__phone"
    )  # fmt: skip
    if actor.is_system:
        return rows
    return rows.filter(plan__patient__in=_visible(actor, mine).values("pk"))


def handover(actor: Actor, handover_id: int) -> Handover:
    found = handovers(actor).filter(pk=handover_id).first()
    if found is None:
        raise NotFound(_("There is no handover %(id)s that you may see.") % {"id": handover_id})
    return found


def bindings(actor: Actor, patient_id: int, *, mine: bool = False) -> QuerySet[HomeDevice]:
    """The devices that measure a patient now."""
    rows = HomeDevice.objects.select_related("device").filter(until__isnull=True)
    return rows.filter(patient=patient(actor, patient_id, mine=mine))


def around(row: Patient) -> Q:
    """Devices in the patient's home, and shared ones of its house or compound: never those of another home."""
    steps = row.place.path.strip("/").split("/")
    above = ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]
    shared = [path for path in above if path.startswith(row.institution.place.path)]
    return Q(place__path__startswith=row.place.path) | Q(place__path__in=shared)


def devices(actor: Actor, row: Patient) -> list[Any]:
    """Devices at the patient's place (or above it, up to the institution's) that measure nobody yet."""
    from shoufu.kernel.devices.models import Device

    taken = HomeDevice.objects.filter(until__isnull=True).values("device")
    rows = Device.objects.filter(kind=Device.Kind.SENSOR, retired_at__isnull=True).exclude(pk__in=taken)
    return list(rows.filter(around(row)).select_related("place").order_by("name", "pk")[:200]) if actor else []


def practising(actor: Actor, row: Patient, *, doctor: bool = False) -> Practitioner | None:
    """The practice as which the actor may write in a patient's plans: verified, licensed today, of the patient's
    institution; with `doctor` a physician. None: not."""
    if not actor.may_anywhere(DOCTOR if doctor else WRITE):
        return None
    found = register.practices(actor).filter(institution=row.institution_id).first()
    if found is None or doctor and found.profession not in DOCTORS:
        return None
    today = register.day_at(found.institution.place, timezone.now())
    return None if list(usable(practice(found), today)) else found


def doctors(row: Patient) -> list[Practitioner]:
    """The doctors of a patient's institution who may work today."""
    rows = Practitioner.objects.filter(institution=row.institution_id, profession__in=DOCTORS, left_at__isnull=True)
    today = register.day_at(row.institution.place)
    people = rows.select_related("person", "institution__place").defer("person__phone", "person__identity")
    return [one for one in people if not list(usable(practice(one), today))]


def accounts(people: Iterable[int]) -> list[int]:
    """The active accounts of people."""
    return list(User.objects.filter(person__in=list(people), is_active=True).values_list("pk", flat=True))
