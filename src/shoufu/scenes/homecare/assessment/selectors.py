from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.scenes.homecare.assessment.models import Assessment, Response
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.eligibility import usable
from shoufu.scenes.homecare.register.facts import practice
from shoufu.scenes.homecare.register.models import Patient, Practitioner

ASSESS = "homecare.assess"
Decision, State = Assessment.Decision, Assessment.State


def _rows() -> QuerySet[Assessment]:
    return Assessment.objects.select_related(
        "patient__person", "patient__place", "patient__institution__place", "patient__institution__organisation",
        "service", "version", "decided_by__person", "place",
    ).defer("reason", "elsewhere", "patient__access", "patient__health")  # fmt: skip


def assessments(actor: Actor) -> QuerySet[Assessment]:
    """Assessments of the patients whom the actor cares for, the newest first; nothing of the answers."""
    rows = _rows()
    return rows if actor.is_system else rows.filter(patient__in=register.patients(actor, ended=True).values("pk"))


def own(actor: Actor) -> QuerySet[Assessment]:
    """The actor's own assessments, and those of people for whom they may act."""
    return _rows().filter(patient__in=register.own(actor).values("pk"))


def assessment(actor: Actor, assessment_id: int, *, mine: bool = False) -> Assessment:
    """One of them; NotFound otherwise."""
    rows = own(actor) if mine else assessments(actor)
    found = rows.filter(pk=assessment_id).first()
    if found is None:
        raise NotFound(_("There is no assessment %(id)s that you may see.") % {"id": assessment_id})
    return found


def response(actor: Actor, response_id: int, *, mine: bool = False) -> Response:
    """One questionnaire of a visible assessment; NotFound otherwise."""
    rows = own(actor) if mine else assessments(actor)
    found = Response.objects.filter(pk=response_id, assessment__in=rows.values("pk")).first()
    if found is None:
        raise NotFound(_("There is no questionnaire %(id)s that you may see.") % {"id": response_id})
    found.assessment = assessment(actor, found.assessment_id, mine=mine)
    return found


def valid_assessment(patient: Patient, service_id: int, moment: datetime) -> Assessment | None:
    """The decision by which a service may be done for a patient at a moment: the last one made until then says "fit"
    and its last day has not passed. For booking; the caller checked the right."""
    found = last_decision(patient, service_id, moment)
    if found is None or found.decision != Decision.FIT or _lapsed(found, moment):
        return None
    return found


def last_decision(patient: Patient, service_id: int, moment: datetime) -> Assessment | None:
    """The last decision made until a moment; the caller checked the right."""
    rows = Assessment.objects.filter(patient=patient, service=service_id, state=State.DECIDED, ended_at__lte=moment)
    return rows.select_related("place", "version").order_by("-ended_at", "-pk").first()


def _lapsed(row: Assessment, moment: datetime) -> bool:
    return row.last_day is None or row.last_day < register.day_at(row.place, moment)


def in_force(actor: Actor) -> set[int]:
    """Numbers of the actor's own decisions by which a visit can be booked today: each is the last one of its patient
    and service, says "fit" and has not lapsed."""
    rows = own(actor).filter(state=State.DECIDED).order_by("patient_id", "service_id", "-ended_at", "-pk")
    last = rows.distinct("patient_id", "service_id")
    now = timezone.now()
    return {row.pk for row in last if standing_of(row, now) == "valid"}


def standing(patient: Patient, service_id: int, moment: datetime) -> str:
    """Where a patient stands: "valid", "missing", "lapsed", "unfit" or "needs_visit" (see `eligibility.Asked`)."""
    return standing_of(last_decision(patient, service_id, moment), moment)


def standing_of(found: Assessment | None, moment: datetime) -> str:
    """The same by a decision that was read before."""
    if found is None:
        return "missing"
    if _lapsed(found, moment):
        return "lapsed"
    return {Decision.FIT: "valid", Decision.UNFIT: "unfit"}.get(Decision(found.decision), "needs_visit")


def deciding(actor: Actor, row: Assessment) -> Practitioner | None:
    """The practice as which the actor may decide: verified, licensed today, of the patient's institution. None: not."""
    if not actor.may_anywhere(ASSESS):
        return None
    found = register.practices(actor).filter(institution=row.patient.institution_id).first()
    if found is None:
        return None
    today = register.day_at(found.institution.place, timezone.now())
    return None if list(usable(practice(found), today)) else found
