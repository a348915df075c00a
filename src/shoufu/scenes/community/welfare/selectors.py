from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.parties.models import Household, Residency
from shoufu.kernel.parties.selectors import current, has_consent, homes
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import people_of
from shoufu.scenes.community.welfare import words
from shoufu.scenes.community.welfare.minding import deaf_since, keys_of, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Entry, Helper, Ladder, Sensor, Watch
from shoufu.scenes.community.welfare.services.common import CONSENT, DOOR, MANAGE, SCOPE, VISIT, clear

Step = Check.Step
WEEKS = 4
CURVE = ("silent_since", "known_seconds", "learned", "due_at", "reason")
"""What whoever looks in never reads: it says how the person lives."""


def _checks() -> QuerySet[Check]:
    return Check.objects.select_related("household__place__parent__parent", "place", "person", "case")


def desk(actor: Actor, path: str = "/") -> QuerySet[Check]:
    """Open checks in which the actor looks in: the worker from their step on, the guard at the door."""
    rows = _checks().defer(*CURVE).filter(ended_at__isnull=True, place__path__startswith=path)
    if actor.is_system:
        return rows
    visit = subtree(actor.paths(VISIT), "place__path") & Q(step__in=[Step.WORKER, Step.DOOR])
    return rows.filter(visit | subtree(actor.paths(DOOR), "place__path") & Q(step=Step.DOOR)).order_by("asked_at")


def desk_one(actor: Actor, check_id: int) -> Check:
    """One open check for whoever looks in; NotFound otherwise."""
    found = desk(actor).filter(pk=check_id).first()
    if found is None:
        raise NotFound(_("There is no welfare check %(id)s that you may answer.") % {"id": check_id})
    return found


def of_case(actor: Actor, case_id: int) -> Check | None:
    """The open check behind a case, for its panel."""
    return desk(actor).filter(case=case_id).first()


def asking(actor: Actor) -> Check | None:
    """The check in which oneself is asked now."""
    me = privacy.myself(actor)
    return _checks().filter(person=me, ended_at__isnull=True).first() if me is not None else None


def to_answer(actor: Actor) -> QuerySet[Check]:
    """Open checks of people who let the actor answer for them, from the contacts' step on; not one's own."""
    people = [one.pk for one in privacy.acts_for(actor, SCOPE)[1:]]
    return _checks().filter(person__in=people, ended_at__isnull=True).exclude(step=Step.RESIDENT).order_by("asked_at")


@dataclass(frozen=True)
class Named:
    """A contact in clear, for the person themselves or with them at the desk."""

    id: int
    name: str
    phone: str
    known: str


def helpers(row: Watch) -> list[Named]:
    """Whom a watch asks, in clear."""
    key = subjects.known_keys([row.person_id]).get(row.person_id)
    found = Helper.objects.filter(watch=row).select_related("known", "watch")
    return [
        Named(one.pk, clear(key, one, "name"), clear(key, one, "phone"), one.known.name if one.known else "")
        for one in found
    ]


@dataclass(frozen=True)
class Mine:
    """All that a person sees of their own watch; `watch` is None where they take no part."""

    watch: Watch | None
    consent: bool
    sensors: list[Sensor]
    learned: str = ""
    suited: bool = True
    deaf: datetime | None = None
    alone: bool = True
    helpers: Sequence[Named] = ()
    checks: Sequence[Check] = ()
    next_button: datetime | None = None
    pressed: bool = False


def mine(actor: Actor) -> Mine:
    """One's own watch: what is read, what was learned, whom it asks, what happened."""
    person = privacy.subject(actor, None, "")
    row = _watches().filter(person=person).first()
    lived = homes(person.pk)
    home = row.household_id if row is not None else (lived[0].pk if lived else 0)
    sensors = list(Sensor.objects.filter(household=home).select_related("device"))
    alone = len(people_of(home)) <= 1
    if row is None:
        free = [one for one in sensors if one.watch_id is None]
        return Mine(None, has_consent(person.pk, CONSENT), free, alone=alone, checks=_history(person.pk))
    now, key = timezone.now(), keys_of([row])[row.person_id]
    watch, wall_now = opened(row, key), wall(timezone.now(), zone_of(row))
    read = [one for one in sensors if one.watch_id == row.pk]
    deaf = deaf_since(read, now) if read and row.paused_until is None else None
    button = row.mode == Watch.Mode.BUTTON
    return Mine(
        row,
        has_consent(person.pk, CONSENT),
        [one for one in sensors if one.watch_id in (None, row.pk)],
        words.learned(watch, wall_now),
        watch.habits.suited(wall_now),
        max(deaf, row.since) if deaf is not None else None,
        alone,
        helpers(row),
        _history(person.pk),
        row.due_at if button else None,
        bool(
            button and row.due_at and row.due_at.astimezone(zone_of(row)).date() > now.astimezone(zone_of(row)).date()
        ),
    )


def _history(person_id: int) -> list[Check]:
    rows = _checks().filter(person=person_id, ended_at__isnull=False)
    return list(rows.prefetch_related(_entries())[:20])


def _entries() -> "Prefetch[Any]":
    return Prefetch("entries", Entry.objects.select_related("user").order_by("at", "pk"))


def entries(check: Check) -> list[Entry]:
    """The lines of a check that the caller may see."""
    return list(Entry.objects.filter(check_of=check).select_related("user").order_by("at", "pk"))


def _watches() -> QuerySet[Watch]:
    return Watch.objects.select_related("person", "household__place__parent__parent", "place")


def participants(actor: Actor, path: str = "/") -> QuerySet[Watch]:
    """Who takes part in the actor's places; nothing of what was learned or is due."""
    rows = limit(_watches().defer("kept", "due_at"), actor, MANAGE).filter(place__path__startswith=path)
    return rows.prefetch_related("sensors__device", "helpers")


def participant(actor: Actor, watch_id: int) -> Watch:
    """One of them; NotFound elsewhere."""
    found = participants(actor).filter(pk=watch_id).first()
    if found is None:
        raise NotFound(_("There is no welfare watch that you may see."))
    return found


def sensors(actor: Actor, path: str = "/") -> QuerySet[Sensor]:
    """The sensors noted for homes in the actor's places."""
    rows = limit(Sensor.objects.all(), actor, MANAGE, "household__place__path")
    rows = rows.filter(household__place__path__startswith=path)
    return rows.select_related("device", "household__place__parent__parent").defer("heard_at")


def candidates(actor: Actor, home: Household) -> list[Residency]:
    """Who lives in a home of the actor's places and takes no part yet."""
    if not actor.may(MANAGE, home.place.path):
        return []
    stays = Residency.objects.filter(current(), household=home, ended_at__isnull=True).select_related("person")
    return list(
        stays.filter(person__welfare_watch__isnull=True, person__erased_at__isnull=True).order_by("person__name")
    )


@dataclass(frozen=True)
class Figures:
    """How it went in four weeks: people, checks, those that ended well by themselves, and those that needed help."""

    people: int
    checks: int
    false_alarms: int
    helped: int
    open: int

    @property
    def false_alarms_per_week(self) -> float:
        """False alarms a week and person."""
        return round(self.false_alarms / WEEKS / self.people, 2) if self.people else 0.0


def figures(actor: Actor, path: str = "/") -> Figures:
    """The figures of a place for who manages the welfare watch there; nothing of single people."""
    rows = limit(Check.objects.all(), actor, MANAGE).filter(place__path__startswith=path)
    lately = rows.filter(asked_at__gte=timezone.now() - timedelta(weeks=WEEKS))
    return Figures(
        participants(actor, path).count(),
        lately.count(),
        lately.filter(outcome__in=Check.WELL).exclude(reason=Check.Reason.BUTTON).count(),
        lately.filter(outcome=Check.Outcome.HELPED).count(),
        rows.filter(ended_at__isnull=True).count(),
    )


def ladders(actor: Actor) -> list[tuple[Place, Ladder]]:
    """The compounds that the actor manages, each with its minutes."""
    places = limit(Place.objects.filter(kind=Place.Kind.COMPOUND), actor, MANAGE, "path")
    rows = places.select_related("welfare_ladder").order_by("path")
    return [(place, getattr(place, "welfare_ladder", None) or Ladder(place=place)) for place in rows]


def exported(row: Watch) -> dict[str, Any]:
    """What a copy of one's data shows of the watch: the sentence of what was learned among it."""
    key = keys_of([row])[row.person_id]
    zone = zone_of(row)
    return {
        "since": row.since,
        "how": row.how,
        "mode": row.mode,
        "paused_until": row.paused_until,
        "worker_role": row.worker_role,
        "learned": words.learned(opened(row, key), wall(timezone.now(), zone)),
    }
