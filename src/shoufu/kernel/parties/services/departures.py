from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.parties.models import Departure, Membership, Person, Residency
from shoufu.kernel.parties.services.drafts import MANAGE
from shoufu.kernel.places.models import Place

Cause = Departure.Cause
LEAVING = (Cause.MOVED_OUT, Cause.DIVORCED)


@dataclass(frozen=True)
class Leaving:
    """A person leaves a household now: why, and the reason that is kept."""

    residency: int
    cause: str = Cause.MOVED_OUT
    reason: str = ""


@transaction.atomic
def leave(actor: Actor, leaving: Leaving) -> Departure:
    """A person leaves a household at this moment; every right that the household gave ends with it, with a receipt.

    What another household gives them stays. Refuses a stay that has ended already.
    """
    stay = _stay(actor, leaving.residency)
    if leaving.cause not in LEAVING:
        raise Invalid.one("cause", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(LEAVING)})
    return _end(actor, stay, leaving.cause, timezone.now(), leaving.reason)


def _stay(actor: Actor, residency_id: int) -> Residency:
    rows = Residency.objects.select_for_update(of=("self",)).select_related("household__place", "person__place")
    stay = policy.limit(rows, actor, MANAGE, "household__place__path").filter(pk=residency_id).first()
    if stay is None:
        raise NotFound(_("There is no residency %(id)s that you may end.") % {"id": residency_id})
    if stay.ended_at is not None:
        raise Conflict(_("This stay has ended already."))
    return stay


def local_day(place: Place, moment: datetime) -> date:
    """The day at a place."""
    return moment.astimezone(ZoneInfo(place.time_zone)).date()


def _end(actor: Actor, stay: Residency, cause: str, at: datetime, reason: str) -> Departure:
    person, home = stay.person, stay.household
    _close(stay, local_day(home.place, at), at)
    remaining = _households(person.pk)
    ending = Ending(person.pk, at, cause, reason, home.pk, tuple(remaining))
    return _departure(actor, ending, home.place, person)


def _close(stay: Residency, day: date, at: datetime) -> None:
    # A stay is kept by days, half-open: one that began today is kept as that one day.
    ends = max(day, stay.since + timedelta(days=1))
    stay.until = min(stay.until, ends) if stay.until and stay.until > stay.since else ends
    stay.ended_at = at
    stay.save(update_fields=["until", "ended_at"])


def _households(person_id: int) -> list[int]:
    rows = Residency.objects.filter(person_id=person_id, ended_at__isnull=True)
    return list(rows.values_list("household_id", flat=True).distinct())


def _departure(actor: Actor, ending: Ending, place: Place, person: Person) -> Departure:
    lines = hooks.end_person(actor, ending)
    row = Departure(
        person=person,
        household_id=ending.household,
        place=place,
        cause=ending.cause,
        at=ending.at,
        author=actor.label[:120],
        reason=ending.reason.strip()[:200],
        lines=[asdict(line) for line in lines],
    )
    row.save()
    data = {"cause": ending.cause, "household": ending.household, "ended": len(lines)}
    record(
        actor,
        Act(f"parties.{ending.cause}", row, place=place.pk, reason=row.reason, subject=person.pk, data=data),
    )
    return row


@transaction.atomic
def died(actor: Actor, person_id: int, on: date, reason: str = "") -> Departure:
    """A person died: all their stays, work, consents and every right end now; one receipt for all of it."""
    # Not against what only refers to the row: a booking that is being made would wait here, and we for its locks.
    rows = Person.objects.select_for_update(of=("self",), no_key=True).select_related("place")
    person = policy.limit(rows.filter(erased_at__isnull=True), actor, MANAGE).filter(pk=person_id).first()
    if person is None:
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    if person.died_on is not None:
        raise Conflict(_("The death is already registered."))
    now = timezone.now()
    if on > local_day(person.place, now):
        raise Invalid.one("on", _("A day that has already come."))
    if person.born and on < person.born:
        raise Invalid.one("on", _("Not before the day of birth."))
    person.died_on = on
    person.save(update_fields=["died_on", "updated_at"])
    stays = Residency.objects.select_for_update(of=("self",)).filter(person=person, ended_at__isnull=True)
    for stay in stays.select_related("household__place"):
        _close(stay, local_day(stay.household.place, now), now)
    _end_work(person, local_day(person.place, now))
    person.consents.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
    return _departure(actor, Ending(person.pk, now, Cause.DIED, reason), person.place, person)


def _end_work(person: Person, day: date) -> None:
    work = Membership.objects.filter(person=person, until__isnull=True)
    work.filter(since__lt=day).update(until=day)
    work.filter(since__gte=day).delete()


@transaction.atomic
def lapse(actor: Actor, now: datetime | None = None) -> list[Departure]:
    """End the stays whose set end has come at their place; for the task that runs every minute."""
    moment = now or timezone.now()
    # No zone is further ahead than 14 hours, so nothing that could have ended is left out.
    latest = (moment.astimezone(UTC) + timedelta(hours=14)).date()
    rows = Residency.objects.select_for_update(of=("self",), skip_locked=True).filter(
        until__lte=latest, ended_at__isnull=True
    )
    due = [
        stay
        for stay in rows.select_related("household__place", "person__place").order_by("until", "pk")
        if stay.until is not None and stay.until <= local_day(stay.household.place, moment)
    ]
    return [_end(actor, stay, Cause.LAPSED, _midnight(stay), "") for stay in due]


def _midnight(stay: Residency) -> datetime:
    assert stay.until is not None
    return datetime.combine(stay.until, time(0), ZoneInfo(stay.household.place.time_zone))


def receipts(departure: Departure) -> Sequence[Receipt]:
    """The lines of a departure."""
    return [Receipt(**line) for line in departure.lines]
