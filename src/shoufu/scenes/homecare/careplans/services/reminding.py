"""What is said by itself: to the patient what is still to be done, to the nurse whom to ask."""

import logging
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.apart import apart
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan
from shoufu.scenes.homecare.careplans.services import findings
from shoufu.scenes.homecare.careplans.services.common import about, team, tell
from shoufu.scenes.homecare.register import selectors as register

log = logging.getLogger(__name__)
EVENING, MORNING = 18, 8
"""The hours of the place at which the patient is reminded, and the nurse told whom to ask."""


def hour(now: datetime) -> int:
    """Run once an hour: remind where it is evening, tell nurses where it is morning; how many notices were due."""
    active = CarePlan.objects.filter(state=CarePlan.State.ACTIVE, patient__ended_at__isnull=True)
    rows = active.select_related("patient__person", "patient__place", "patient__institution__organisation", "place")
    told = 0
    for place in Place.objects.filter(homecare_plans__in=active).distinct():
        clock = now.astimezone(ZoneInfo(place.time_zone)).hour
        if clock == EVENING:
            told += remind(rows.filter(place=place), now)
        if clock == MORNING:
            told += tell_due(rows.filter(place=place), now)
    return told


def remind(rows: Iterable[CarePlan], now: datetime) -> int:
    """Remind patients, and who may act for them, of tasks whose period ends today undone; once a day and plan."""
    found = {plan.pk: plan for plan in rows}
    return apart(log, "reminding of plan", found, lambda number: _remind(found[number], now))


@transaction.atomic
def _remind(plan: CarePlan, now: datetime) -> bool:
    patient = plan.patient
    today = register.day_at(patient.place, now)
    mine = [one for one in selectors.tasks(plan) if one.performer == "patient"]
    missed = findings.missed(plan, patient)
    if missed != plan.missed:
        CarePlan.objects.filter(pk=plan.pk).update(missed=missed)
    shown = selectors.standings(mine, patient, today)
    open_ = [one.task for one in shown if one.standing and one.standing.open and one.standing.last == today]
    if not open_:
        return False
    words = {
        "zh-hans": {"name": patient.person.name, "tasks": "、".join(one.text for one in open_)},
        "en": {"name": patient.person.name, "tasks": ", ".join(one.text_en or one.text for one in open_)},
    }
    people = [patient.person_id, *(one.pk for one in register.carers(patient))]
    tell("chronic.remind", about(patient.place, f"remind:{plan.pk}:{today}", now, words), selectors.accounts(people))
    return True


def tell_due(rows: Iterable[CarePlan], now: datetime) -> int:
    """Tell who cares for them that follow-ups are due today or before; one notice a day and account."""
    by_user: dict[int, list[CarePlan]] = {}
    for plan in rows:
        if plan.next_day is None or plan.next_day > register.day_at(plan.patient.place, now):
            continue
        for user in team(plan.patient):
            by_user.setdefault(user, []).append(plan)
    return apart(log, "telling of follow-ups due to user", by_user, lambda user: _tell_due(user, by_user[user], now))


@transaction.atomic
def _tell_due(user: int, plans: list[CarePlan], now: datetime) -> bool:
    place = plans[0].patient.institution.place
    today: date = register.day_at(place, now)
    words = {code: {"count": str(len(plans))} for code in ("zh-hans", "en")}
    tell("chronic.due", about(place, f"due:{user}:{today}", now, words), [user])
    return True


def figures(actor: Actor) -> dict[str, int]:
    """For the head of the list: plans in force, out of target, due for a follow-up, and with tasks not done."""
    rows = selectors.plans(actor, ended=False)
    today = timezone.localdate()
    return rows.aggregate(
        active=Count("pk"),
        out=Count("pk", filter=Q(control=CarePlan.Control.OUT)),
        due=Count("pk", filter=Q(next_day__lte=today)),
        missed=Count("pk", filter=Q(missed__gte=3)),
    )
