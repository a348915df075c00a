import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices import demo as devices_demo
from shoufu.kernel.devices import services as devices
from shoufu.kernel.devices.models import Device
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.services import HouseholdDraft, PersonDraft, ResidencyDraft
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.welfare import services
from shoufu.scenes.community.welfare.minding import FIELDS, keep, keys_of, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Entry, Sensor, Watch

SEED = 20261124
UNIT = "songshan-b5-u1"
NUMBER = "701"
ELDER, WORKER = "elder", "worker"
DAYS = 330
# Code, name, English name, what it sees.
SENSORS = (
    ("home-guo-living", "客厅人体感应", "Motion, living room", Sensor.Role.ACTIVITY),
    ("home-guo-bath", "卫生间人体感应", "Motion, bathroom", Sensor.Role.ACTIVITY),
    ("home-guo-door", "入户门磁", "Door contact", Sensor.Role.DOOR),
)


def load(actor: Actor) -> None:
    """An 80-year-old who lives alone and takes part, with a year of days learned, and the community worker.

    A second call only gives sensors whose secret was lost another one.
    """
    unit = Place.objects.select_related("parent__parent").filter(code=UNIT).first()
    if unit is None or unit.parent is None or unit.parent.parent is None:
        return
    _devices(actor, unit)
    if User.objects.filter(username=ELDER).exists():
        return
    compound = unit.parent.parent
    home = parties.create_households(actor, [HouseholdDraft(unit.pk, NUMBER)])[0]
    draft = PersonDraft("郭秀兰", compound.pk, "13800000803", born=date(1946, 2, 18), code="demo-elder")
    person = parties.create_people(actor, [draft])[0]
    parties.move_in(actor, [ResidencyDraft(person.pk, home.pk, "owner", date(1998, 10, 1))])
    users = create_users(actor, [UserDraft(ELDER, "郭秀兰", person_id=person.pk), UserDraft(WORKER, "社区工作者 吴敏")])
    roles = zip(users, ("resident", "community_worker"), strict=True)
    give_roles(actor, [RoleDraft(user.pk, role, compound.pk) for user, role in roles])
    User.objects.filter(username=ELDER).update(large_print=True)
    services.add_sensors(actor, [services.SensorDraft(home.pk, code, role) for code, _n, _e, role in SENSORS])
    elder = actor_for_user(users[0])
    services.join(elder, services.JoinDraft(list(Sensor.objects.filter(household=home).values_list("pk", flat=True))))
    services.add_helper(elder, services.HelperDraft("儿子", "13800000804"))
    row = Watch.objects.select_related("place", "household").get(person=person)
    _learn(row, timezone.now())
    _history(row, users[0])


def _devices(actor: Actor, unit: Place) -> None:
    known = {entry["code"] for entry in devices_demo.read()}
    there = dict(Device.objects.filter(code__in=[one[0] for one in SENSORS]).values_list("code", "pk"))
    drafts = [
        devices.DeviceDraft(code, "sensor", name, unit.pk, english, model="PIR-1", protocol="http")
        for code, name, english, _role in SENSORS
        if code not in there
    ]
    made = devices.register_many(actor, drafts)
    made += [devices.rotate_secret(actor, pk) for code, pk in there.items() if code not in known]
    if made:
        devices_demo.keep(made)


def _learn(row: Watch, now: datetime) -> None:
    """A year of her days through the engine itself: the log keeps single signals for three days only."""
    key, zone = keys_of([row])[row.person_id], zone_of(row)
    watch = opened(row, key)
    for at, door in _days(now - timedelta(days=DAYS), now, random.Random(SEED)):
        watch.event(wall(at, zone), door=door)
    keep(row, key, watch)
    row.save(update_fields=FIELDS)


def _days(since: datetime, now: datetime, dice: random.Random) -> Iterator[tuple[datetime, bool]]:
    """Up about six, something every quarter to whole hour, a walk or the market in the morning, to bed about nine; the
    bathroom once or twice a night."""
    midnight = timezone.localtime(since).replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight < now:
        events: list[tuple[float, bool]] = []
        hour, bed = dice.gauss(6.1, 0.4), dice.gauss(21.2, 0.5)
        out = dice.gauss(8.5, 0.5) if dice.random() < 0.8 else 99.0
        back = out + dice.uniform(0.5, 2.0)
        while hour < bed:
            if not out < hour < back:
                events += [(hour, False), (hour + dice.uniform(0.005, 0.06), False)]
            hour += min(1.6, 0.1 + dice.expovariate(3.0))
        if back < bed:
            events += [(out, True), (back, True), (back + 0.02, False), (back + 0.04, False)]
        for _visit in range(dice.choice((1, 1, 2))):
            night = dice.uniform(0.5, 4.5)
            events += [(night, False), (night + 0.05, False)]
        for offset, door in sorted(events):
            at = midnight + timedelta(hours=offset)
            if at < now:
                yield at, door
        midnight += timedelta(days=1)


def _history(row: Watch, user: User) -> None:
    """Two checks of the last weeks: one she answered by the key, one that she ended by getting up."""
    told = (
        (19, Check.Outcome.FINE, timedelta(hours=4, minutes=20), timedelta(minutes=6), user),
        (47, Check.Outcome.SIGN, timedelta(hours=10, minutes=5), timedelta(minutes=3), None),
    )
    midday = timezone.localtime().replace(hour=14, minute=10, second=0, microsecond=0)
    for days, outcome, quiet, took, who in told:
        at = midday - timedelta(days=days)
        check = Check.objects.create(
            person=row.person,
            watch=row,
            household=row.household,
            place=row.place,
            reason=Check.Reason.SILENT,
            silent_since=at - quiet,
            known_seconds=int((quiet - timedelta(hours=1, minutes=20)).total_seconds()),
            learned=True,
            due_at=at,
            asked_at=at,
            outcome=outcome,
            ended_at=at + took,
        )
        lines = ((at, Entry.What.ASKED, user), (at + took, Entry.What.ENDED, who))
        Entry.objects.bulk_create(
            Entry(check_of=check, at=moment, step=Check.Step.RESIDENT, what=what, user=one)
            for moment, what, one in lines
        )
