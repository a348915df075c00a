from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Avg, CharField, Count, F, Func, Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import subtree
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.lookups import among
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.homecare.quality import national
from shoufu.scenes.homecare.quality.models import Appeal, Bar, Complaint, Incident, Policy, Rating, Refusal, Sanction
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Stop, Visit

FIGURES, QUALITY, DECIDE = "homecare.figures", "homecare.quality", "homecare.decide"
MONEY, REGULATE = "homecare.money", "homecare.regulate"
CARE, OWN = register.CARE, register.OWN
M = TypeVar("M", bound=Model)


def staffed(actor: Actor, permission: str, place: str = "place", office: str = "institution") -> Q:
    """The condition "of the actor's institution, in the places where they have the right"."""
    return subtree(actor.paths(permission), f"{place}__path") & register.of_offices(actor, office)


def supervised(actor: Actor, place: str = "place") -> Q:
    """The condition "in the places that the actor supervises, of whatever institution"."""
    return subtree(actor.paths(REGULATE), f"{place}__path")


def own_patients(actor: Actor) -> QuerySet[Patient]:
    """The actor's own care and that of people for whom they may act, ended care too."""
    people = privacy.acts_for(actor, register.ACT) if actor.may_anywhere(OWN) else []
    rows = Patient.objects.select_related("person", "place", "institution__organisation", "institution__place")
    return rows.filter(person__in=[one.pk for one in people]).defer("access", "health")


def policy(office: Institution) -> Policy:
    """The time limits of an institution: its own, or those of the installation (an unsaved row)."""
    found = Policy.objects.filter(institution=office).first()
    if found is not None:
        return found
    plain = {name: value for name, value in vars(national.limits()).items() if name != "citation"}
    return Policy(institution=office, **plain)


# Ratings


def ratings(actor: Actor) -> QuerySet[Rating]:
    """Every rating of the actor's institution; nothing of the words."""
    rows = Rating.objects.select_related(
        "visit__patient__person", "visit__version", "visit__institution__organisation", "visit__place"
    ).prefetch_related("visit__stops__practitioner__person")
    rows = rows.defer("words", "visit__note", "visit__patient__access", "visit__patient__health")
    return rows if actor.is_system else rows.filter(staffed(actor, QUALITY, "visit__place", "visit__institution"))


def rating(actor: Actor, rating_id: int) -> Rating:
    return _one(ratings(actor), rating_id, _("There is no rating %(id)s that you may see."))


def own_average(actor: Actor) -> list[dict[str, Any]]:
    """Of each of the actor's own practices: how many ratings and, from so many on as the institution says, the average
    and how often each tag was given. Never who."""
    found = []
    for practice in register.practices(actor):
        least = policy(practice.institution).least_ratings
        rows = Rating.objects.filter(visit__in=Stop.objects.filter(practitioner=practice).values("visit")).order_by()
        figures = rows.aggregate(count=Count("pk"), average=Avg("stars"))
        enough = figures["count"] >= least
        tags: dict[str, int] = {}
        if enough:
            given = rows.annotate(tag=Func(F("tags"), function="unnest", output_field=CharField())).values("tag")
            tags = dict(given.annotate(times=Count("pk")).values_list("tag", "times"))
        found.append(
            {
                "practice": practice,
                "count": figures["count"],
                "least": least,
                "average": figures["average"] if enough else None,
                "tags": tags,
            }
        )
    return found


# Complaints


def _complaints() -> QuerySet[Complaint]:
    rows = Complaint.objects.select_related(
        "patient__person", "institution__organisation", "institution__place", "place", "visit__version"
    )
    return rows.defer("what", "wish", "patient__access", "patient__health", "visit__note")


def complaints(actor: Actor) -> QuerySet[Complaint]:
    """Complaints to the actor's institution, and those that came to the regulator; nothing of the words."""
    rows = _complaints()
    if actor.is_system:
        return rows
    return rows.filter(staffed(actor, QUALITY) | supervised(actor) & Q(escalated_at__isnull=False))


def own_complaints(actor: Actor) -> QuerySet[Complaint]:
    """Complaints of the actor, and of people for whom they may act."""
    return _complaints().filter(patient__in=own_patients(actor).values("pk"))


def complaint(actor: Actor, complaint_id: int, *, mine: bool = False) -> Complaint:
    rows = own_complaints(actor) if mine else complaints(actor)
    return _one(rows, complaint_id, _("There is no complaint %(id)s that you may see."))


# Incidents


def incidents(actor: Actor) -> QuerySet[Incident]:
    """Adverse events of the actor's institution or of the places that they supervise, and those that they reported or
    that happened to themselves; nothing of the words."""
    rows = Incident.objects.select_related(
        "institution__organisation", "institution__place", "place", "visit__version", "patient__person",
        "practitioner__person", "reported_by", "closed_by",
    ).defer("what", "immediate", "cause", "measures", "patient__access", "patient__health", "visit__note")  # fmt: skip
    if actor.is_system:
        return rows
    seen = staffed(actor, QUALITY) | supervised(actor)
    if actor.user_id is not None and actor.may_anywhere(CARE):
        seen |= Q(reported_by=actor.user_id) | Q(practitioner__in=register.practices(actor).values("pk"))
    return rows.filter(seen)


def incident(actor: Actor, incident_id: int) -> Incident:
    return _one(incidents(actor), incident_id, _("There is no adverse event %(id)s that you may see."))


# Refusals


def refusals(actor: Actor) -> QuerySet[Refusal]:
    """Refusals at the actor's institution, and those that they made as practitioners."""
    rows = Refusal.objects.select_related(
        "patient__person", "patient__institution__organisation", "practitioner__person", "place", "visit"
    ).defer("words", "patient__access", "patient__health", "visit__note")
    if actor.is_system:
        return rows
    own = Q(side=Refusal.Side.PRACTITIONER, practitioner__in=register.practices(actor).values("pk"))
    return rows.filter(staffed(actor, QUALITY, office="patient__institution") | own)


def own_refusals(actor: Actor) -> QuerySet[Refusal]:
    """Whom the actor, or somebody for whom they may act, does not want to come."""
    rows = Refusal.objects.select_related("patient__person", "practitioner__person").defer("words")
    return rows.filter(side=Refusal.Side.PATIENT, patient__in=own_patients(actor).values("pk"))


def refusal(actor: Actor, refusal_id: int, *, mine: bool = False) -> Refusal:
    rows = own_refusals(actor) if mine else refusals(actor)
    return _one(rows, refusal_id, _("There is no refusal %(id)s that you may see."))


def refused_people(patient: Patient, visit: Visit | None = None) -> frozenset[int]:
    """Practitioners whom no plan sends to a patient, by their ids; for a visit with those who refused it alone. For
    planning and booking; the caller checked the right."""
    return refused_by_visit([(patient.pk, visit.pk if visit is not None else None)])[
        patient.pk, visit.pk if visit is not None else None
    ]


def refused_by_visit(
    wanted: Iterable[tuple[int, int | None]],
) -> Mapping[tuple[int, int | None], frozenset[int]]:
    """The same for pairs of patient and visit, in one query."""
    pairs = set(wanted)
    rows = Refusal.objects.filter(among("patient__id", {patient for patient, _visit in pairs}), ended_at__isnull=True)
    kept: dict[int, list[tuple[int, int | None, bool]]] = {}
    for patient, who, about, only in rows.values_list("patient", "practitioner", "visit", "only_visit").order_by():
        kept.setdefault(patient, []).append((who, about, only))
    return {
        (patient, visit): frozenset(who for who, about, only in kept.get(patient, ()) if not only or about == visit)
        for patient, visit in pairs
    }


def known_practitioners(patient: Patient) -> QuerySet[Practitioner]:
    """Who has come to a patient, is to come, or cares for them: whom the patient can name."""
    known = Q(homecare_stops__visit__patient=patient) | Q(patients=patient)
    rows = Practitioner.objects.select_related("person").filter(known, institution=patient.institution_id)
    return rows.filter(left_at__isnull=True).distinct().order_by("person__name", "pk")


# Entries, sanctions and appeals


def bars(actor: Actor) -> QuerySet[Bar]:
    """Entries of the list at the actor's institution, or in the places that they supervise; nothing of the reason."""
    rows = _bars()
    if actor.is_system:
        return rows
    return rows.filter(staffed(actor, QUALITY) | supervised(actor))


def _bars() -> QuerySet[Bar]:
    rows = Bar.objects.select_related(
        "patient__person", "institution__organisation", "institution__place", "place", "proposed_by", "decided_by"
    )
    return rows.defer("reason", "patient__access", "patient__health")


def own_bars(actor: Actor) -> QuerySet[Bar]:
    """Entries about the actor, or somebody for whom they may act, once they were decided."""
    rows = _bars().filter(patient__in=own_patients(actor).values("pk"))
    return rows.exclude(state__in=(Bar.State.PROPOSED, Bar.State.REJECTED))


def bar(actor: Actor, bar_id: int, *, mine: bool = False) -> Bar:
    rows = own_bars(actor) if mine else bars(actor)
    return _one(rows, bar_id, _("There is no entry %(id)s that you may see."))


def in_force(patient: Patient, moment: datetime | None = None) -> Bar | None:
    """The entry by which no visits are booked for a patient at a moment; None where there is none."""
    day = register.day_at(patient.place, moment or timezone.now())
    rows = Bar.objects.filter(patient=patient, state=Bar.State.IN_FORCE, last_day__gte=day)
    return rows.defer("reason").first()


def barred(patient: Patient, *, emergency: bool = False, moment: datetime | None = None) -> str:
    """Why no visit is booked for a patient now, in a sentence for them; empty where nothing stands against it. Never
    for an emergency. For booking; the caller checked the right."""
    found = None if emergency else in_force(patient, moment)
    if found is None or found.last_day is None:
        return ""
    said = _(
        "No visits can be booked until %(day)s: %(why)s. You can read why and appeal under “Ratings and complaints”."
    )
    return said % {"day": found.last_day.isoformat(), "why": found.get_code_display()}


def sanctions(actor: Actor) -> QuerySet[Sanction]:
    """Sanctions of the actor's institution or supervised places."""
    rows = _sanctions()
    if actor.is_system:
        return rows
    return rows.filter(staffed(actor, QUALITY, office="practitioner__institution") | supervised(actor))


def _sanctions() -> QuerySet[Sanction]:
    rows = Sanction.objects.select_related(
        "practitioner__person", "practitioner__institution__organisation", "practitioner__institution__place", "place",
        "made_by",
    )  # fmt: skip
    return rows.defer("reason")


def own_sanctions(actor: Actor) -> QuerySet[Sanction]:
    """Sanctions of the actor themselves."""
    rows = _sanctions()
    return rows.filter(practitioner__person__user=actor.user_id) if actor.user_id is not None else rows.none()


def sanction(actor: Actor, sanction_id: int, *, mine: bool = False) -> Sanction:
    rows = own_sanctions(actor) if mine else sanctions(actor)
    return _one(rows, sanction_id, _("There is no sanction %(id)s that you may see."))


def appeals(actor: Actor) -> QuerySet[Appeal]:
    """Appeals against entries and sanctions that the actor may see."""
    rows = Appeal.objects.select_related(
        "bar__patient__person",
        "bar__institution__organisation",
        "bar__place",
        "sanction__practitioner__person",
        "sanction__practitioner__institution__organisation",
        "sanction__practitioner__institution__place",
        "sanction__place",
    )
    rows = rows.defer("words", "answer", "bar__reason", "sanction__reason")
    rows = rows.defer("bar__patient__access", "bar__patient__health")
    if actor.is_system:
        return rows
    return rows.filter(Q(bar__in=bars(actor).values("pk")) | Q(sanction__in=sanctions(actor).values("pk")))


def appeal(actor: Actor, appeal_id: int) -> Appeal:
    return _one(appeals(actor), appeal_id, _("There is no appeal %(id)s that you may see."))


def rateable(actor: Actor) -> QuerySet[Visit]:
    """Visits that were done lately, which the actor may rate or whose rating they may still change."""
    from shoufu.scenes.homecare.quality.services.ratings import OPEN_FOR

    since = timezone.now() - OPEN_FOR
    rows = visits.brief(visits.own(actor)).filter(state=Visit.State.DONE, ended_at__gte=since)
    return rows.select_related("quality_rating").order_by("-ended_at")


def _one(rows: QuerySet[M], pk: int, said: str) -> M:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(said % {"id": pk})
    return found
