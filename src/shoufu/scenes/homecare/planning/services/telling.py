"""Who is told of a changed plan: patients when somebody else comes, or outside the promised time; people on duty when
their route of today or tomorrow gains or loses a visit. A time that shifts within its promise is nobody's news."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shoufu.engines.dispatch import Plan
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.notices.services import About, notify_user
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.planning.models import DayPlan
from shoufu.scenes.homecare.planning.services.common import Opened
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.visits.models import Visit, VisitEvent

NEAR = timedelta(days=1)
"""How far ahead people on duty hear of changes to their route: a plan further off changes with every booking."""
LATER = timedelta(minutes=10)
"""What counts as later, where a visit comes outside its promise already."""


@dataclass(frozen=True)
class Change:
    """A visit before and after: who, and when the first service begins (None: open)."""

    visit: Visit
    before: tuple[int, ...]
    after: tuple[int, ...]
    was_at: datetime | None
    is_at: datetime | None

    @property
    def other_people(self) -> bool:
        return bool(self.after) and set(self.before) != set(self.after)

    @property
    def outside(self) -> bool:
        """Comes outside the promised time, and that is new or worse."""
        if self.is_at is None or self.visit.starts_at <= self.is_at <= self.visit.latest_at:
            return False
        known = self.was_at is not None and not self.visit.starts_at <= self.was_at <= self.visit.latest_at
        return not known or self.was_at is None or self.is_at > self.was_at + LATER


def changes(at: Opened, plan: Plan) -> list[Change]:
    """What a plan changes for each visit of the day."""
    found = []
    for name, visit in at.day.visits.items():
        old, new = at.before.stops.get(visit.pk, ()), plan.by_visit.get(name, ())
        before, after = tuple(stop.practitioner_id for stop in old), tuple(int(stop.caregiver) for stop in new)
        was_at, is_at = old[0].span.lower if old else None, at.day.moment(new[0].start) if new else None
        if before != after or was_at != is_at:
            found.append(Change(visit, before, after, was_at, is_at))
    return found


def tell(actor: Actor, row: DayPlan, at: Opened, plan: Plan) -> list[Change]:
    """Note and tell what changed by the newest plan `row`; in its transaction. Returns what changed."""
    found = changes(at, plan)
    worth = [one for one in found if one.other_people or one.outside or not one.after]
    _note(actor, row, at, worth)
    ids = {pk for one in found for pk in (*one.before, *one.after)}
    people = {one.pk: one for one in Practitioner.objects.filter(pk__in=ids).select_related("person")}
    for one in worth:
        if one.after and one.visit.state == Visit.State.BOOKED:
            _tell_patient(row, one, people)
    if row.day <= register.day_at(at.day.institution.place, at.now) + NEAR:
        _tell_people(row, found, people, at.day.institution.place, actor)
    return found


def _note(actor: Actor, row: DayPlan, at: Opened, found: Iterable[Change]) -> None:
    events, acts = [], []
    for one in found:
        data = {
            "plan": row.number,
            "before": list(one.before),
            "after": list(one.after),
            "start": one.is_at.isoformat() if one.is_at else None,
        }
        visit = one.visit
        events.append(VisitEvent(visit=visit, at=at.now, kind="replanned", user_id=actor.user_id, data=data))
        acts.append(Act("homecare.visit.replanned", visit, visit.place_id, subject=visit.patient.person_id, data=data))
    VisitEvent.objects.bulk_create(events)
    record_many(actor, acts)


def _tell_patient(row: DayPlan, change: Change, people: Mapping[int, Practitioner]) -> None:
    patient = change.visit.patient
    persons = [patient.person_id, *(one.pk for one in register.carers(patient))]
    users = list(User.objects.filter(person__in=persons, is_active=True).values_list("pk", flat=True))
    if not users or change.is_at is None:
        return
    zone = ZoneInfo(change.visit.institution.place.time_zone)
    names = [people[pk].person.name for pk in change.after if pk in people]
    same = {
        "name": patient.person.name,
        "time": f"{change.is_at.astimezone(zone):%m-%d %H:%M}",
        "promised": f"{change.visit.starts_at.astimezone(zone):%H:%M}–{change.visit.latest_at.astimezone(zone):%H:%M}",
    }
    words = {
        "zh-hans": same | {"service": change.visit.version.name, "who": "、".join(names)},
        "en": same | {"service": change.visit.version.name_en or change.visit.version.name, "who": ", ".join(names)},
    }
    about = About(change.visit.place, f"plan:{row.pk}:{row.number}:{change.visit.pk}", words)
    for user in users:
        notify_user(SYSTEM, "care.time" if change.outside else "care.person", about, user)


def _tell_people(
    row: DayPlan, found: Iterable[Change], people: Mapping[int, Practitioner], place: Place, actor: Actor
) -> None:
    more: dict[int, int] = {}
    less: dict[int, int] = {}
    for one in found:
        for pk in set(one.after) - set(one.before):
            more[pk] = more.get(pk, 0) + 1
        for pk in set(one.before) - set(one.after):
            less[pk] = less.get(pk, 0) + 1
    persons = {people[pk].person_id: pk for pk in {*more, *less} if pk in people}
    users = User.objects.filter(person__in=persons, is_active=True).exclude(pk=actor.user_id or 0)
    for user_id, person in users.values_list("pk", "person"):
        pk = persons[person]
        same = {"day": f"{row.day:%m-%d}", "more": str(more.get(pk, 0)), "less": str(less.get(pk, 0))}
        about = About(place, f"route:{row.pk}:{row.number}:{pk}", {"zh-hans": same, "en": same})
        notify_user(SYSTEM, "care.route", about, user_id)


def coordinators(office: Institution) -> list[int]:
    """The accounts of an institution's own coordinators."""
    around = [int(part) for part in office.place.path.strip("/").split("/")]
    roles = RoleAssignment.objects.filter(role="care_coordinator", place__in=around, until__isnull=True)
    people = office.organisation.memberships.filter(current()).values("person")
    users = User.objects.filter(pk__in=roles.values("user"), person__in=people, is_active=True)
    return list(users.values_list("pk", flat=True))
