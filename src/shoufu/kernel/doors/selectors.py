from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.engines import doors as engine
from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.devices.models import Device
from shoufu.kernel.doors import keys
from shoufu.kernel.doors.models import (
    AccessLevel,
    AccessPoint,
    Assignment,
    Controller,
    Credential,
    FireRelease,
    LevelDoor,
    LockDown,
    OpenRequest,
    Pass,
    Passage,
    Receipt,
    Schedule,
    SpecialDay,
    Technology,
)
from shoufu.kernel.doors.services.common import ADMIT, COMMAND, MANAGE, VIEW
from shoufu.kernel.doors.services.people import own_person, require_person

DURESS = "doors.duress"
SILENT = timedelta(minutes=3)


def points(actor: Actor, path: str = "/", *, retired: bool = False) -> QuerySet[AccessPoint]:
    """Access points below a place that the actor may see, with their state and controller."""
    rows = AccessPoint.objects.select_related("place__parent__parent", "state", "controller__door_controller")
    rows = policy.limit(rows, actor, VIEW).filter(place__path__startswith=path)
    return rows if retired else rows.filter(retired_at__isnull=True)


def point(actor: Actor, point_id: int) -> AccessPoint:
    """One access point; NotFound when the actor may not see it."""
    return _one(points(actor, retired=True), point_id)


def _one(rows: QuerySet[Any], pk: int) -> Any:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": pk})
    return found


def controllers(actor: Actor, path: str = "/") -> QuerySet[Controller]:
    """Controllers of the actor's places with the version they need and hold."""
    rows = Controller.objects.select_related("device__place").filter(device__retired_at__isnull=True)
    return policy.limit(rows, actor, VIEW, "device__place__path").filter(device__place__path__startswith=path)


def stale(actor: Actor, path: str = "/") -> QuerySet[Controller]:
    """Controllers that hold an older rule set than they should, longest first."""
    rows = controllers(actor, path).filter(trusted_at__isnull=False, held__lt=F("needed"))
    return rows.order_by(F("since").asc(nulls_last=True), "device__code")


def enrolment(actor: Actor, device_id: int) -> Mapping[str, str]:
    """What a controller program is configured with besides its secret: its code and the server's public key (hex)."""
    device = policy.limit(Device.objects.select_related("place"), actor, MANAGE).filter(pk=device_id).first()
    if device is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": device_id})
    return {"device": device.code, "public_key": keys.public_key().hex()}


def credentials(actor: Actor, path: str = "/") -> QuerySet[Credential]:
    """Credentials of the actor's places, passes of visitors apart; what is read is never part of it."""
    rows = Credential.objects.select_related("place", "person").filter(admission__isnull=True)
    rows = policy.limit(rows, actor, VIEW).filter(place__path__startswith=path)
    return rows.defer("secret", "lookup", "person__phone", "person__identity")


def credential(actor: Actor, credential_id: int) -> Credential:
    """One credential; NotFound when the actor may not see it."""
    found: Credential = _one(credentials(actor), credential_id)
    return found


def find_card(actor: Actor, number: str) -> QuerySet[Credential]:
    """Credentials with this card number, PIN or plate as a whole: found by keyed hash. Leaves an audit entry."""
    from shoufu.kernel.base import keyring

    ring, hashes = keyring.ring(), []
    for technology in (Technology.CARD, Technology.PLATE, Technology.FACE):
        value = number.strip().upper()
        if technology == Technology.CARD:
            try:
                value = engine.card_identifier(number).decode()
            except ValueError:
                continue
        hashes += ring.lookups(value, f"credential:{technology}")
    rows = credentials(actor).filter(lookup__in=hashes)
    record(actor, Act("doors.find", object_type="doors.credential", data={"found": rows.count()}))
    return rows


def levels(actor: Actor, path: str = "/") -> QuerySet[AccessLevel]:
    """Access levels of the actor's places (those that only carry a pass apart), with counts of doors and holders."""
    rows = policy.limit(AccessLevel.objects.select_related("place"), actor, VIEW)
    running = Q(assignments__until__isnull=True) | Q(assignments__until__gt=timezone.now())
    rows = rows.filter(place__path__startswith=path).exclude(code__startswith="pass-")
    return rows.annotate(
        door_count=Count("doors", distinct=True), holder_count=Count("assignments", filter=running, distinct=True)
    )


def level(actor: Actor, level_id: int) -> AccessLevel:
    """One access level; NotFound when the actor may not see it."""
    found: AccessLevel = _one(levels(actor), level_id)
    return found


def schedules(actor: Actor, path: str = "/") -> QuerySet[Schedule]:
    """Schedules of the actor's places."""
    rows = policy.limit(Schedule.objects.select_related("place"), actor, VIEW)
    return rows.filter(place__path__startswith=path).exclude(code__startswith="pass-")


def schedule(actor: Actor, schedule_id: int) -> Schedule:
    """One schedule; NotFound when the actor may not see it."""
    found: Schedule = _one(schedules(actor), schedule_id)
    return found


def special_days(actor: Actor, year: int | None = None) -> QuerySet[SpecialDay]:
    """Special days that hold everywhere or at places of the actor."""
    policy.require_anywhere(actor, VIEW)
    own = policy.limit(SpecialDay.objects.all(), actor, VIEW).values("pk")
    rows = SpecialDay.objects.filter(Q(place__isnull=True) | Q(pk__in=own)).select_related("place")
    return rows.filter(day__year=year) if year else rows


@dataclass(frozen=True)
class PersonDoor:
    """A door that a person may pass, by which level, when (None: always) and until when."""

    point: AccessPoint
    level: AccessLevel
    schedule: Schedule | None
    until: datetime | None


def doors_for(actor: Actor, person_id: int) -> list[PersonDoor]:
    """The doors that a person may pass now: for themselves, or for who sees doors or people there. Three queries."""
    require_person(actor, person_id, VIEW, "parties.view")
    now = timezone.now()
    running = Assignment.objects.filter(Q(until__isnull=True) | Q(until__gt=now), person=person_id, since__lte=now)
    until = dict(running.values_list("level_id", "until"))
    rows = LevelDoor.objects.filter(level__in=until, point__retired_at__isnull=True)
    rows = rows.select_related("point__place__parent", "point__state", "level", "schedule")
    return [
        PersonDoor(row.point, row.level, row.schedule, until[row.level_id])
        for row in rows.order_by("point__place__path", "point__code")
    ]


def credentials_of(actor: Actor, person_id: int) -> QuerySet[Credential]:
    """A person's cards, phones and other credentials, newest first: for themselves, or who sees doors there."""
    require_person(actor, person_id, VIEW)
    return Credential.objects.filter(person=person_id).select_related("place").defer("secret", "lookup")


def receipts_of(actor: Actor, person_id: int) -> QuerySet[Receipt]:
    """Which doors have forgotten a person: for themselves (also after they left), or who manages people there."""
    require_person(actor, person_id, VIEW, "parties.view")
    return Receipt.objects.filter(person=person_id).select_related("controller__device__place", "credential")


@dataclass(frozen=True)
class Holder:
    """Somebody who may pass a door: by which level, when, until when."""

    assignment: Assignment
    name: str
    level: AccessLevel
    schedule: Schedule | None


def who_may_pass(actor: Actor, point_id: int, limit: int = 200) -> tuple[list[Holder], int]:
    """Who may pass a door and why, at most `limit`, and how many there are. Leaves an audit entry: it is a look."""
    door = point(actor, point_id)
    now = timezone.now()
    by_level = {row.level_id: row for row in LevelDoor.objects.filter(point=door).select_related("level", "schedule")}
    rows = Assignment.objects.filter(Q(until__isnull=True) | Q(until__gt=now), level__in=by_level)
    count = rows.count()
    listed = rows.select_related("person", "credential").order_by("level__code", "person__name", "pk")[:limit]
    record(actor, Act("doors.look_holders", door, door.place_id, data={"code": door.code, "found": count}))
    holders = [
        Holder(
            row,
            row.person.name if row.person is not None else (row.credential.holder if row.credential else ""),
            by_level[row.level_id].level,
            by_level[row.level_id].schedule,
        )
        for row in listed
    ]
    return holders, count


def passages(actor: Actor, point_id: int) -> QuerySet[Passage]:
    """The decisions at a door, newest first. Under duress only the alarm role sees that it was so."""
    door = point(actor, point_id)
    return Passage.objects.filter(point=door).select_related("credential__person")


def look_passages(actor: Actor, point_id: int, limit: int = 30) -> list[Passage]:
    """The last decisions at a door with who it was; leaves an audit entry."""
    door = point(actor, point_id)
    rows = list(passages(actor, point_id)[:limit])
    record(actor, Act("doors.look_passages", door, door.place_id, data={"code": door.code, "shown": len(rows)}))
    return rows


def sees_duress(actor: Actor, place: Any) -> bool:
    """Whether the actor is told that a door was opened under duress."""
    return actor.may(DURESS, place.path)


def reason_words(reason: str) -> str:
    """A decision's reason code in a plain sentence of the reader's language; the code itself where it is unknown."""
    try:
        return engine.words(reason, "en" if (get_language() or "").startswith("en") else "zh")
    except ValueError:
        return reason


def passes(actor: Actor, path: str = "/") -> QuerySet[Pass]:
    """Passes in the actor's places (or, for a resident, the ones that they gave), newest first."""
    rows = Pass.objects.select_related("credential__place", "host").defer("host__phone", "host__identity")
    own = own_person(actor)
    seen = policy.limit(rows, actor, VIEW, "credential__place__path")
    seen = seen.filter(credential__place__path__startswith=path)
    return (seen | rows.filter(host=own) if own is not None else seen).order_by("-issued_at")


def pass_(actor: Actor, pass_id: int) -> Pass:
    """One pass; NotFound when the actor may not see it."""
    found: Pass = _one(passes(actor), pass_id)
    return found


def pass_uses(actor: Actor, pass_id: int) -> QuerySet[Passage]:
    """When and where a pass was shown, newest first; for its host, or who may let in there."""
    visit = Pass.objects.select_related("credential__place").filter(pk=pass_id).first()
    path = visit.credential.place.path if visit else ""
    own = visit is not None and visit.host_id is not None and visit.host_id == own_person(actor)
    if visit is None or not (own or any(actor.may(right, path) for right in (VIEW, ADMIT, MANAGE))):
        raise NotFound(_("There is no pass %(id)s that you may see.") % {"id": pass_id})
    return Passage.objects.filter(credential=visit.pk).select_related("point__place")


def lock_downs(actor: Actor, path: str = "/") -> QuerySet[LockDown]:
    """Lock-downs at the actor's places, newest first; those that hold have no `released_at`."""
    rows = policy.limit(LockDown.objects.select_related("place"), actor, VIEW)
    return rows.filter(Q(place__path__startswith=path) | Q(place__path__in=_around(path)))


def _around(path: str) -> list[str]:
    parts = [part for part in path.strip("/").split("/") if part]
    return ["/" + "/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1)]


def locked_down(actor: Actor, rows: Sequence[AccessPoint]) -> dict[int, LockDown]:
    """Point id → the lock-down that holds there (one query)."""
    held = list(LockDown.objects.filter(released_at__isnull=True).select_related("place"))
    found = {}
    for row in rows:
        down = next((one for one in held if row.place.path.startswith(one.place.path)), None)
        if down is not None:
            found[row.pk] = down
    return found


def fire_releases(actor: Actor, path: str = "/") -> QuerySet[FireRelease]:
    """Doors that the fire system released and nobody has reset."""
    rows = FireRelease.objects.filter(reset_at__isnull=True).select_related("point__place")
    return policy.limit(rows, actor, VIEW, "point__place__path").filter(point__place__path__startswith=path)


def open_requests(actor: Actor, path: str = "/") -> QuerySet[OpenRequest]:
    """Openings from afar, newest first: who asked, why, who confirmed."""
    rows = OpenRequest.objects.select_related("point__place", "case", "command")
    return policy.limit(rows, actor, VIEW, "point__place__path").filter(point__place__path__startswith=path)


def waiting_requests(actor: Actor, path: str = "/") -> QuerySet[OpenRequest]:
    """Openings of dwellings that wait for a second person."""
    now = timezone.now()
    rows = open_requests(actor, path).filter(state=OpenRequest.State.WAITING, expires_at__gt=now)
    return policy.limit(rows, actor, COMMAND, "point__place__path")


@dataclass(frozen=True)
class Figures:
    """The doors of a subtree in figures."""

    points: int
    open: int
    alarms: int
    stale: int
    locked_down: int
    fire: int


def figures(actor: Actor, path: str = "/") -> Figures:
    """Counts for the head of the list and for wide screens (four queries)."""
    rows = points(actor, path)
    down = [one.place.path for one in lock_downs(actor, path).filter(released_at__isnull=True)]
    found = rows.aggregate(
        points=Count("pk"),
        open=Count("pk", filter=Q(state__contact="open")),
        alarms=Count("pk", filter=~Q(state__alarm="")),
    )
    closed = rows.filter(policy.subtree(down)).count() if down else 0
    return Figures(
        found["points"],
        found["open"],
        found["alarms"],
        stale(actor, path).count(),
        closed,
        fire_releases(actor, path).count(),
    )


def without_rights(actor: Actor, path: str = "/") -> QuerySet[Credential]:
    """Credentials that open nothing: nobody has given them or their person a level."""
    now = timezone.now()
    running = Assignment.objects.filter(Q(until__isnull=True) | Q(until__gt=now))
    own, persons = running.filter(credential=OuterRef("pk")), running.filter(person=OuterRef("person"))
    active = credentials(actor, path).filter(state=Credential.State.ACTIVE)
    return active.filter(~Exists(own), ~Exists(persons))
