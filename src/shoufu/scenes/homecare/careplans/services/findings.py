"""What readings show: found at each reading, told to who cares for the patient, kept as a case at the kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.engines import chronic
from shoufu.kernel.access.policy import lent, require_anywhere
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.lifecycle import RANK
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.services import CaseReport
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, Reading
from shoufu.scenes.homecare.careplans.services.common import ANSWER, TOLD, about, act, team, tell
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.services.common import opened, sealed

KIND = "homecare.chronic"
REACH = timedelta(days=210)
"""How far back readings are looked at: past the longest that any quantity says something of the present."""


def take(patient: Patient, fresh: Sequence[Reading], now: datetime) -> list[Finding]:
    """Judge new readings of one patient, whose row the caller locked: findings opened or added to, the plans' figures.

    Each finding is opened once for its rule, however many plans name the rule and however often it is seen again.
    """
    plans = list(CarePlan.objects.filter(patient=patient, state=CarePlan.State.ACTIVE).order_by("pk"))
    if not plans:
        return []
    known = _measured(patient, now)
    zone = selectors.zone_of(patient)
    found: dict[int, Finding] = {}
    for row in sorted(fresh, key=lambda one: (one.at, str(one.pk))):
        newest = known.get(str(row.pk))
        if newest is None:
            continue
        said: set[str] = set()
        for plan in plans:
            targets = selectors.targets(selectors.goals(plan))
            since = _dealt_with(patient)
            guideline = selectors.guideline_of(plan)
            for one in chronic.evaluate(guideline, targets, known.values(), newest, zone, since):
                if one.rule.code not in said:
                    said.add(one.rule.code)
                    kept = _keep(plan, patient, one, now)
                    found[kept.pk] = kept
    _figures(plans, patient, known, now)
    return list(found.values())


def refresh(patient: Patient, now: datetime) -> None:
    """Work out the figures of a patient's plans anew: after a change of goals, or of readings."""
    plans = list(CarePlan.objects.filter(patient=patient, state=CarePlan.State.ACTIVE))
    _figures(plans, patient, _measured(patient, now), now)


def _measured(patient: Patient, now: datetime) -> dict[str, chronic.Reading]:
    rows = selectors.readings(SYSTEM, patient_id=patient.pk, since=now - REACH)
    return {str(one.row.pk): one.measured for one in selectors.cleared(rows)}


def _dealt_with(patient: Patient) -> Mapping[str, datetime]:
    """Up to when readings of a rule were dealt with."""
    closed = Finding.objects.filter(patient=patient, state=Finding.State.CLOSED)
    return dict(closed.order_by().values_list("rule").annotate(last=Max("last_at")))


def _figures(plans: Sequence[CarePlan], patient: Patient, known: Mapping[str, chronic.Reading], now: datetime) -> None:
    today, zone = selectors.today_of(patient), selectors.zone_of(patient)
    readings = list(known.values())
    for plan in plans:
        targets = selectors.targets(selectors.goals(plan))
        kinds = {code for code, kind in chronic.KINDS.items() if {t.quantity for t in targets} & set(kind.needs)}
        plan.control = chronic.control(targets, readings, zone, today)
        plan.last_reading_at = max((one.at for one in readings if one.kind in kinds), default=None)
        plan.missed = missed(plan, patient)
        CarePlan.objects.filter(pk=plan.pk).update(
            control=plan.control, last_reading_at=plan.last_reading_at, missed=plan.missed
        )


def missed(plan: CarePlan, patient: Patient) -> int:
    """For how many periods in a row the patient's most neglected task was not done."""
    rows = [one for one in selectors.tasks(plan) if one.performer == "patient"]
    shown = selectors.standings(rows, patient)
    return min(max((one.standing.missed for one in shown if one.standing), default=0), 999)


def _keep(plan: CarePlan, patient: Patient, seen: chronic.Finding, now: datetime) -> Finding:
    told = {
        "quantity": seen.quantity,
        "value": round(seen.value, 2),
        "bound": seen.bound,
        "side": seen.side,
        "days": seen.days,
        "readings": list(seen.readings),
    }
    row = Finding.objects.filter(patient=patient, rule=seen.rule.code, state__in=Finding.RUNNING).first()
    if row is not None:
        row.last_at, row.occurrences = max(row.last_at, seen.at), row.occurrences + 1
        row.told = sealed(patient.person_id, told, TOLD)
        row.save(update_fields=["last_at", "occurrences", "told"])
        return row
    row = Finding(
        plan=plan,
        patient=patient,
        rule=seen.rule.code,
        severity=seen.rule.severity,
        severity_rank=RANK[seen.rule.severity],
        found_at=now,
        last_at=seen.at,
        told=sealed(patient.person_id, told, TOLD),
    )
    row.case = _case(patient, seen.rule.severity)
    row.save()
    record(SYSTEM, act("homecare.finding.open", row, patient))
    words = {code: {"name": patient.person.name, "severity": seen.rule.severity} for code in ("zh-hans", "en")}
    tell("chronic.finding", about(patient.place, f"finding:{row.pk}", now, words), team(patient))
    return row


def _case(patient: Patient, severity: str) -> Case:
    """A case that names the place, never the person or what was measured."""
    with override("zh-hans"):
        title, text = _("A reading needs somebody"), _("Look under “Care plans”; who looks is recorded.")
    case = cases.report(SYSTEM, CaseReport(patient.place_id, title, severity, KIND, text))
    with override("en"):
        case.title_en = _("A reading needs somebody")
    case.save(update_fields=["title_en"])
    return case


@dataclass(frozen=True)
class Told:
    """A finding in clear: the rule with its clause, what was measured, and what somebody did about it."""

    row: Finding
    rule: chronic.Rule | None
    quantity: str
    value: float
    bound: float
    side: str
    readings: tuple[str, ...]
    answer: str


def told(rows: Sequence[Finding]) -> list[Told]:
    """Findings in clear: for callers that recorded the look, or show them to the person."""
    people = {one.patient.person_id for one in rows}
    keys = subjects.known_keys(people)
    read = Finding.objects.filter(pk__in=[one.pk for one in rows]).values_list("pk", "told", "answer")
    kept = {pk: (what, answer) for pk, what, answer in read}
    return [_told(one, keys.get(one.patient.person_id), *kept[one.pk]) for one in rows]


def _told(row: Finding, key: bytes | None, what: Any, answer: Any) -> Told:
    person = row.patient.person_id
    read = (opened(key, what, person, TOLD) if key else None) or {}
    said = (opened(key, answer, person, ANSWER) if key else None) or ""
    return Told(
        row,
        selectors.rule_of(row),
        read.get("quantity", ""),
        read.get("value", 0.0),
        read.get("bound", 0.0),
        read.get("side", ""),
        tuple(read.get("readings", ())),
        said,
    )


def _locked(actor: Actor, finding_id: int) -> Finding:
    seen = selectors.finding(actor, finding_id)
    require_anywhere(actor, selectors.VIEW)
    Finding.objects.select_for_update(of=("self",)).get(pk=seen.pk)
    seen.refresh_from_db(fields=["state", "taken_by", "closed_at"])
    if seen.state == Finding.State.CLOSED:
        raise Conflict(_("This was dealt with already."))
    return seen


def _lent(actor: Actor, row: Finding) -> Actor:
    """For the kernel's case: the part checked its own right, and the audit log names who acts."""
    return lent(actor, row.patient.place.path, "cases.view", "cases.handle", selectors.VIEW)


@transaction.atomic
def take_up(actor: Actor, finding_id: int) -> Finding:
    """Say that one deals with a finding: nobody else need; its case is acknowledged."""
    row = _locked(actor, finding_id)
    if row.state == Finding.State.TAKEN:
        raise Conflict(
            _("%(who)s deals with it already.") % {"who": row.taken_by.display_name if row.taken_by else "–"}
        )
    row.state, row.taken_by_id = Finding.State.TAKEN, actor.user_id
    row.save(update_fields=["state", "taken_by"])
    if row.case is not None and row.case.state == Case.State.NEW:
        cases.acknowledge(_lent(actor, row), row.case.pk, row.case.version)
    record(actor, act("homecare.finding.take", row, row.patient))
    return row


@transaction.atomic
def close(actor: Actor, finding_id: int, answer: str) -> Finding:
    """Say what was done about a finding; its case is resolved and closed. The patient can read the answer."""
    row = _locked(actor, finding_id)
    if not answer.strip():
        raise Invalid.one("answer", _("Say what you did; they can read it."))
    _close(actor, row, answer.strip())
    return row


def _close(actor: Actor, row: Finding, answer: str, *, keep: bool = True) -> None:
    row.state, row.closed_at = Finding.State.CLOSED, timezone.now()
    row.taken_by_id = row.taken_by_id or actor.user_id
    row.answer = sealed(row.patient.person_id, answer[:1000], ANSWER) if keep else None
    row.save(update_fields=["state", "closed_at", "taken_by", "answer"])
    if row.case is not None and row.case.state in Case.OPEN:
        _close_case(_lent(actor, row), row.case)
    record(actor, act("homecare.finding.close", row, row.patient))


def _close_case(actor: Actor, case: Case) -> None:
    """Through the steps of the kernel; the case says only that it was dealt with."""
    with override("zh-hans"):
        outcome = _("Dealt with under “Care plans”")
    if case.state == Case.State.NEW:
        case = cases.acknowledge(actor, case.pk, case.version)
    case = cases.resolve(actor, case.pk, case.version, outcome=outcome)
    cases.close(actor, case.pk, case.version)


def close_all(actor: Actor, plan: CarePlan, reason: str) -> None:
    """A plan ends: so do its findings. In the caller's transaction, which checked."""
    rows = Finding.objects.select_for_update(of=("self",)).select_related("patient__place", "case")
    for row in rows.filter(plan=plan, state__in=Finding.RUNNING):
        _close(actor, row, reason, keep=plan.end_cause != "erased")
