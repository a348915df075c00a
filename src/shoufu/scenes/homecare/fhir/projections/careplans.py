"""CarePlan (with its goals contained), Task, and Observation: plans of chronic disease and what is measured at home."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from shoufu.engines.chronic.quantities import CONTEXTS, KINDS, QUANTITIES
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Span
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.careplans import selectors as plans
from shoufu.scenes.homecare.careplans.models import CarePlan, Goal, Reading, Task
from shoufu.scenes.homecare.fhir.measures import ALSO, LOINC, amount, measure
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import HL7, coded, filled, moment, period, pointed, standard, to
from shoufu.scenes.homecare.register.services.common import opened

ICD10 = "http://hl7.org/fhir/sid/icd-10"
VITALS = frozenset({"blood_pressure", "weight", "spo2", "temperature"})


def _plans(actor: Actor) -> QuerySet[CarePlan]:
    goals, tasks = Goal.objects.order_by("pk"), Task.objects.order_by("pk")
    rows = plans.plans(actor).filter(patient__person__erased_at__isnull=True)
    return rows.prefetch_related(Prefetch("goals", goals), Prefetch("tasks", tasks))


def _care_plans(rows: Sequence[CarePlan]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        goals = [_goal(row, one) for one in row.goals.all()]
        content = filled(
            contained=goals,
            instantiatesUri=[f"urn:shoufu:guideline:{row.guideline}:{row.guideline_version}"],
            status="active" if row.state == CarePlan.State.ACTIVE else "completed",
            intent="plan",
            category=[{"coding": [{"system": ICD10, "code": row.icd10}], "text": row.get_condition_display()}],
            title=row.get_condition_display(),
            subject=to("Patient", row.patient_id, row.patient.person.name),
            period=period(row.since, row.ended_at),
            created=moment(row.made_at, row.place.time_zone),
            author=to("Practitioner", row.author.pk, row.author.person.name) if row.author is not None else None,
            goal=[{"reference": f"#{one['id']}"} for one in goals],
            activity=[{"reference": to("Task", one.pk, one.text)} for one in row.tasks.all()],
        )
        yield row.pk, Made(content, row.changed_at, row.patient.person_id, row.place_id)


def _goal(plan: CarePlan, row: Goal) -> dict[str, Any]:
    quantity = QUANTITIES.get(row.quantity)
    named = quantity.text if quantity is not None else row.quantity
    when = CONTEXTS[row.context][0] if row.context in CONTEXTS else ""
    bounds = [f"≥ {row.low}"] if row.low is not None else []
    bounds += [f"{'<' if row.strict else '≤'} {row.high}"] if row.high is not None else []
    target = None
    if quantity is not None:
        detail = filled(low=amount(quantity, row.low), high=amount(quantity, row.high))
        target = [{"measure": measure(quantity), "detailRange": detail}]
    return filled(
        resourceType="Goal",
        id=f"goal-{row.pk}",
        lifecycleStatus="active" if row.ended_at is None else "cancelled",
        description={"text": f"{named}{when} {' '.join(bounds)}".strip()},
        subject=to("Patient", plan.patient_id),
        startDate=row.since.date().isoformat(),
        target=target,
    )


def _tasks(actor: Actor) -> QuerySet[Task]:
    seen = plans.plans(actor).filter(patient__person__erased_at__isnull=True)
    rows = Task.objects.filter(plan__in=seen.order_by().values("pk"))
    return rows.select_related("plan__patient__person", "plan__place", "plan__author__person")


def _to_do(rows: Sequence[Task]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        plan = row.plan
        patient = to("Patient", plan.patient_id, plan.patient.person.name)
        own = row.performer == Task.Performer.PATIENT
        content = filled(
            basedOn=[to("CarePlan", plan.pk)],
            status="in-progress" if row.ended_at is None else "completed",
            intent="plan",
            code=coded("care-task", row.code, row.text),
            description=f"{row.text}：每 {row.period} {row.get_unit_display()} {row.frequency} 次",
            **{"for": patient},
            executionPeriod=period(row.since, row.ended_at),
            authoredOn=moment(plan.made_at, plan.place.time_zone),
            owner=patient if own else None,
            performerType=[] if own else [coded("profession", "nurse", "护士")],
        )
        updated = max(filter(None, (plan.made_at, row.ended_at)))
        yield row.pk, Made(content, updated, plan.patient.person_id, plan.place_id)


def _readings(actor: Actor) -> QuerySet[Reading]:
    rows = plans.readings(actor, void=True).filter(patient__person__erased_at__isnull=True)
    return rows.defer(None).select_related("patient__person", "patient__place", "device")


def _measured(rows: Sequence[Reading]) -> Iterator[tuple[Any, Made]]:
    keys = subjects.known_keys({row.patient.person_id for row in rows})
    for row in rows:
        person = row.patient.person_id
        values = opened(keys.get(person), row.values, person, plans.VALUES) or {}
        updated = max(filter(None, (row.known_at, row.void_at)))
        yield row.pk, Made(_observation(row, values), updated, person, row.patient.place_id)


def _observation(row: Reading, values: dict[str, float]) -> dict[str, Any]:
    kind = KINDS[row.kind]
    patient = to("Patient", row.patient_id, row.patient.person.name)
    code = {"coding": [{"system": LOINC, "code": one} for one in (ALSO.get(kind.loinc), kind.loinc) if one]}
    when = CONTEXTS[row.context][0] if row.context in CONTEXTS else ""
    alone = len(kind.needs) == 1
    parts = [name for name in kind.quantities if name in values and not (alone and name == kind.needs[0])]
    own = alone and kind.needs[0] in values
    return filled(
        status="entered-in-error" if row.void_at is not None else "final",
        category=[standard("observation-category", "vital-signs" if row.kind in VITALS else "laboratory")],
        code=code | {"text": f"{when}{kind.text}"},
        subject=patient,
        effectiveDateTime=moment(row.at, row.patient.place.time_zone),
        issued=moment(row.known_at),
        performer=[patient] if row.source in (Reading.Source.PATIENT, Reading.Source.FAMILY) else [],
        valueQuantity=amount(QUANTITIES[kind.needs[0]], values[kind.needs[0]]) if own else None,
        dataAbsentReason={"coding": [{"system": f"{HL7}data-absent-reason", "code": "unknown"}]}
        if not values
        else None,
        device={"display": row.device.name} if row.device is not None else None,
        component=[
            {"code": measure(QUANTITIES[name]), "valueQuantity": amount(QUANTITIES[name], values[name])}
            for name in parts
        ],
    )


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(patient__in=keys))
    return None


def _narrow_task(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(plan__patient__in=keys))
    return None


def _narrow_reading(criterion: Criterion) -> Narrowed | None:
    """By patient and, roughly, by the time that was asked for."""
    if criterion.parameter.code != "date" or criterion.missing is not None:
        return _narrow(criterion)
    wanted = Q(pk__in=[])
    for value in criterion.values:
        match value:
            case Span("ge" | "gt" | "sa", start=start):
                wanted |= Q(at__gte=start)
            case Span("le" | "lt" | "eb", end=end):
                wanted |= Q(at__lte=end)
            case Span("eq", start=start, end=end):
                wanted |= Q(at__gte=start, at__lt=end)
            case _:
                return None
    return Narrowed(wanted, exact=False)


projections = (
    Projection("CarePlan", _plans, _care_plans, _narrow),
    Projection("Task", _tasks, _to_do, _narrow_task),
    Projection("Observation", _readings, _measured, _narrow_reading, prefix="reading", uuid=True),
)
