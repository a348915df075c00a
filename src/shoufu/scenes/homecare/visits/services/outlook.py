"""The times at which a service can be had, and what they end with: who finds none is told why, and what to do."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.booking import providers, slots
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.eligibility import Reason
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.visits import holding, placing, selectors
from shoufu.scenes.homecare.visits.holding import Asked
from shoufu.scenes.homecare.visits.models import Prescription
from shoufu.scenes.homecare.visits.services.asking import bookable, details_of, patient_of, to_move
from shoufu.scenes.homecare.visits.standing import Standing

HOPELESS = ("contraindicated", "assessment_unfit", "died", "patient_ended")


class Paper(StrEnum):
    """What a service rests on for so many days."""

    ASSESSMENT = "assessment"
    PRESCRIPTION = "prescription"


@dataclass(frozen=True)
class Limit:
    """The paper that ends first, within the days that can be booked. `ended`: before today; `before_all`: before the
    first day on which anybody works; `later`: with a new one somebody could come afterwards. `needs` as in `Outlook`,
    or "other" where another prescription lasts longer."""

    paper: Paper
    last_day: date
    ended: bool
    before_all: bool
    later: bool
    needs: str


@dataclass(frozen=True)
class Outlook:
    """The times, soonest first. Where there are none: what speaks `against` every one of them, besides the end of a
    paper, and what to do first (`needs`, see `next_step`)."""

    slots: Sequence[Slot]
    limit: Limit | None = None
    against: Sequence[Reason] = ()
    needs: str = ""

    @property
    def first(self) -> str:
        """What to do first for (more) times: as in `Limit.needs`; "" where nothing helps."""
        return self.needs or (self.limit.needs if self.limit is not None and self.limit.later else "")


def outlook(
    actor: Actor,
    patient_id: int,
    service_id: int,
    since: datetime,
    until: datetime,
    *,
    prescription: int | None = None,
    mine: bool = False,
) -> Outlook:
    """The times at which somebody can come for a service, and what stands in the way of others."""
    patient = patient_of(actor, patient_id, mine=mine)
    offering = bookable(service_id, patient)
    details = providers.checked(actor, offering, details_of(patient, prescription))
    query = Query(offering, person=patient.person_id, details=details)
    return _outlook(query, since, until)


def outlook_to_move(actor: Actor, visit_id: int, since: datetime, until: datetime, *, mine: bool = False) -> Outlook:
    """The times to which a visit can be moved, and what stands in the way of others."""
    visit, query = to_move(actor, visit_id, mine=mine)
    return _outlook(query, since, until, but=visit.starts_at)


def _outlook(query: Query, since: datetime, until: datetime, *, but: datetime | None = None) -> Outlook:
    workable = slots.workable(query, since, until)
    found = [one for one in slots.feasible(query, workable) if one.start != but]
    asked = holding.asked(query)
    if asked is None:
        return Outlook(found)
    renewed = _renewed(asked.standing)
    limit = _limit(asked, replace(asked, standing=renewed), workable, timezone.now())
    if found:
        return Outlook(found, limit)
    last = workable[-1].start if workable else timezone.now()
    against = [*renewed.against(last, asked.agreed), *_another_version(asked, workable)]
    needs = next_step([one.code for one in against], asked.standing.patient, asked.standing.service.pk)
    return Outlook(found, limit, against, needs)


def _another_version(asked: Asked, workable: Sequence[Slot]) -> list[Reason]:
    """Where a visit moves: that on none of the days what was agreed to holds."""
    standing, agreed = asked.standing, asked.agreed
    if agreed is None or not workable or any(standing.version_on(standing.day(o.start)) == agreed for o in workable):
        return []
    return [Reason("version_changed")]


def next_step(codes: Sequence[str], patient: Patient, service_id: int) -> str:
    """What comes first where these codes speak against a service: "assess", "prescribe", "wait" (for a decision),
    "check" (of a prescription's original), "no", or "" where nothing does."""
    if not codes:
        return ""
    if any(code in HOPELESS for code in codes):
        return "no"
    if any(code.startswith("assessment_") for code in codes):
        waiting = patient.assessments.filter(service=service_id, state="open").exists()
        return "wait" if waiting else "assess"
    if "prescription_unchecked" in codes:
        return "check"
    return "prescribe" if any(code.startswith("prescription_") for code in codes) else "no"


def _papers(found: Standing, moment: datetime) -> list[tuple[date, Paper]]:
    """What the service rests on, by the last day on which it holds."""
    version, papers = found.version_on(found.day(moment)), []
    if version is None:
        return []
    decision = found.decision
    if version.needs_assessment and decision is not None and decision.last_day is not None and _fit(found):
        papers.append((decision.last_day, Paper.ASSESSMENT))
    if version.needs_prescription and found.prescription is not None:
        papers.append((found.prescription.last_day, Paper.PRESCRIPTION))
    return sorted(papers)


def _fit(found: Standing) -> bool:
    return found.decision is not None and found.decision.decision == Assessment.Decision.FIT


def _renewed(found: Standing) -> Standing:
    """The same if its papers held for good."""
    decision, prescription = copy(found.decision), copy(found.prescription)
    if decision is not None and _fit(found):
        decision.last_day = date.max
    if prescription is not None:
        prescription.last_day = date.max
    return replace(found, decision=decision, prescription=prescription)


def _limit(asked: Asked, renewed: Asked, workable: Sequence[Slot], now: datetime) -> Limit | None:
    """The paper that ends before the last of the days that could be booked; None where none does."""
    found = asked.standing
    papers = _papers(found, now)
    if not papers or not workable or found.day(workable[-1].start) <= papers[0][0]:
        return None
    last_day, paper = papers[0]
    after = [one for one in workable if found.day(one.start) > last_day]
    later = placing.served(renewed.standing, after, agreed=renewed.agreed, leaving=renewed.leaving)
    return Limit(
        paper,
        last_day,
        ended=last_day < found.day(now),
        before_all=len(after) == len(workable),
        later=bool(later),
        needs=_to_renew(asked, paper, last_day),
    )


def _to_renew(asked: Asked, paper: Paper, last_day: date) -> str:
    patient, service = asked.standing.patient, asked.standing.service.pk
    if paper is Paper.ASSESSMENT:
        return next_step(["assessment_lapsed"], patient, service)
    if asked.visit is not None:
        return ""  # a visit that moves keeps its prescription
    rows: list[Prescription] = selectors.usable_prescriptions(patient, service, register.day_at(patient.place))
    longer = [one for one in rows if one.last_day > last_day]
    if any(one.checked_at is not None for one in longer):
        return "other"
    return "check" if longer else "prescribe"
