from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.plates.match import PlateIndex, distance, normalised
from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.scene import Derived
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.devices.commands import CommandDraft, queue_many
from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.models import Vehicle
from shoufu.kernel.parties.selectors import current
from shoufu.scenes.community.vehicles.deciding import ASK, OPEN, Decision, Known, Rules, decide
from shoufu.scenes.community.vehicles.models import Lane, ListEntry, Parking, Passage, Stay
from shoufu.scenes.community.vehicles.services.lists import GUARD
from shoufu.scenes.community.visitors.selectors import expected_plates
from shoufu.scenes.community.visitors.services.following import drove

OLD_SECONDS = 30.0
OPEN_SECONDS = 15
SAME_CAR = 2.2
MOST_READS = 40
RANK = {"watch": 0, "emergency": 1, "registered": 2, "white": 3, "visitor": 4}
State = Passage.State


@dataclass
class Compound:
    """What is known at a compound: every plate, and the rules of its parking."""

    index: PlateIndex
    known: dict[str, Known]
    rules: Rules
    parking: Parking | None
    spent: set[int] = field(default_factory=set)


_indexes: dict[int, tuple[frozenset[str], PlateIndex]] = {}


def compound(place_id: int, path: str, zone: str, at: datetime) -> Compound:
    """Everything a decision at a compound needs (five queries); the index is kept while the plates stay the same."""
    around = _around(path)
    known: dict[str, Known] = {}
    parking = Parking.objects.filter(place=place_id).first()
    crowded = _crowded(place_id, parking)
    day = at.astimezone(ZoneInfo(zone)).date()
    for pk, plate, home in Vehicle.objects.filter(current(on=day), place__path__in=around).values_list(
        "pk", "plate", "household_id"
    ):
        full = home is not None and normalised(plate) not in crowded.get(home, ()) and len(crowded.get(home, ())) > 0
        _know(
            known,
            plate,
            Known("registered", vehicle=pk, household=home, crowded=full and _is_full(parking, crowded[home])),
        )
    entries = ListEntry.objects.filter(
        Q(passes__isnull=True) | Q(used__lt=F("passes")),
        place__path__in=around,
        revoked_at__isnull=True,
        since__lte=at,
        until__gt=at,
    )
    for entry in entries.order_by("pk"):
        _know(known, entry.plate, Known(entry.list, entry=entry.pk))
    for plate, visit, inside in expected_plates(path, at):
        _know(known, plate, Known("visitor", visit=visit, inside=inside))
    plates = frozenset(known)
    held = _indexes.get(place_id)
    if held is None or held[0] != plates:
        held = _indexes[place_id] = (plates, PlateIndex(plates))
    return Compound(held[1], known, Rules(parking.second_car if parking else "allow"), parking)


def _is_full(parking: Parking | None, inside: set[str]) -> bool:
    return parking is not None and len(inside) >= parking.spaces_per_household


def _know(known: dict[str, Known], plate: str, what: Known) -> None:
    key = normalised(plate)
    if key not in known or RANK[what.klass] < RANK[known[key].klass]:
        known[key] = what


def _crowded(place_id: int, parking: Parking | None) -> dict[int, set[str]]:
    """The plates of each household's cars that are inside."""
    inside: defaultdict[int, set[str]] = defaultdict(set)
    if parking is not None and parking.second_car != Parking.SecondCar.ALLOW:
        rows = Stay.objects.filter(place=place_id, until__isnull=True, household__isnull=False)
        for home, plate in rows.values_list("household_id", "plate"):
            inside[home].add(normalised(plate))
    return inside


def _around(path: str) -> list[str]:
    steps = path.strip("/").split("/")
    return ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]


@transaction.atomic
def take_reads(rows: Sequence[BatchRow], lanes: dict[int, Lane], now: datetime | None = None) -> list[Derived]:
    """Readings of lanes' cameras, in their order: passages begin, go on or are decided; barriers are ordered to open.

    What a passage comes to is derived once it begins and again when a further frame changes its class. Runs in the
    transaction of the log's reader, so that each reading acts once. A reading older than 30 s opens nothing.
    """
    moment = now or timezone.now()
    derived: list[Derived] = []
    known: dict[int, Compound] = {}
    for row in sorted(rows, key=lambda row: row.t):
        lane = lanes[row.device_id]
        place = lane.compound
        if place.pk not in known:
            known[place.pk] = compound(place.pk, place.path, place.time_zone, moment)
        derived += _take(row, lane, known[place.pk], moment)
    return derived


def _take(row: BatchRow, lane: Lane, known: Compound, now: datetime) -> list[Derived]:
    at = datetime.fromtimestamp(row.t, UTC)
    direction = row.result.get("direction") or (lane.direction if lane.direction != Lane.Direction.BOTH else "in")
    text, score = normalised(str(row.result["plate"])), float(row.result.get("score", 1.0))
    rules = Rules(known.rules.second_car, lane.free_exit)
    decision = decide(text, score, direction, known.index, known.known, rules)
    passage = _current(lane, text, at)
    seen = {"plate": text, "score": score, "t": row.t, "id": str(row.id)}
    if passage is None:
        passage = Passage(
            lane=lane,
            place=lane.compound,
            direction=direction,
            began_at=at,
            last_at=at,
            reads=[seen],
            snapshot=str(row.result.get("snapshot", "")),
        )
        _decide(passage, decision, at, now)
        return [_derived(row, passage)]
    if any(one["id"] == seen["id"] for one in passage.reads):
        return []
    passage.reads = [*passage.reads, seen][-MOST_READS:]
    passage.last_at = max(passage.last_at, at)
    passage.snapshot = passage.snapshot or str(row.result.get("snapshot", ""))
    before = (passage.klass, passage.plate)
    if passage.state == State.WAITING and (decision.action != ASK or _better(decision, passage)):
        _decide(passage, decision, at, now)
    else:
        passage.save()
    return [_derived(row, passage)] if (passage.klass, passage.plate) != before else []


def _better(decision: Decision, passage: Passage) -> bool:
    """Whether a further frame says more than what is waiting: watched for, or near a plate where nothing was."""
    return decision.klass == "watch" or (passage.klass == "unknown" and decision.klass == "similar")


def _current(lane: Lane, text: str, at: datetime) -> Passage | None:
    """The passage that this reading goes on with: the lane has not cleared, and it may be the same plate."""
    since = at - timedelta(seconds=lane.clear_seconds)
    rows = Passage.objects.select_for_update().filter(
        lane=lane, last_at__gte=since, began_at__lte=at + timedelta(seconds=lane.clear_seconds)
    )
    latest = rows.order_by("-last_at").first()
    if latest is None:
        return None
    near = min(distance(text, normalised(one["plate"])) for one in latest.reads)
    return latest if near <= SAME_CAR else None


def _decide(passage: Passage, decision: Decision, at: datetime, now: datetime) -> None:
    passage.plate, passage.like = decision.plate[:12], decision.like[:12]
    passage.klass, passage.reason = decision.klass, decision.reason
    what = decision.known
    passage.vehicle_id, passage.entry_id = (what.vehicle, what.entry) if what else (None, None)
    late = (now - at).total_seconds() > OLD_SECONDS
    if decision.action == OPEN:
        passage.state = State.LATE if late else State.OPENED
    elif decision.action == ASK:
        passage.state = State.LATE if late else State.WAITING
    else:
        passage.state = State.REFUSED
    if passage.state != State.WAITING:
        passage.decided_by, passage.decided_at = SYSTEM.label, now
    passage.save()
    if decision.klass == "watch":
        _watched(passage, what)
    if passage.state == State.OPENED:
        _open(SYSTEM, passage, f"{passage.plate}: {decision.reason}")
        _gone_through(passage, what, guest=decision.guest)
    record(
        SYSTEM,
        Act("vehicles.passage", passage, place=passage.place_id, data={"class": passage.klass, "state": passage.state}),
    )


def _open(actor: Actor, passage: Passage, reason: str) -> None:
    if passage.lane.barrier_id is None:
        return
    draft = CommandDraft(passage.lane.barrier_id, "open", {"passage": passage.pk}, reason[:200], OPEN_SECONDS)
    queue_many(SYSTEM if actor.is_system else actor, [draft])


def _gone_through(passage: Passage, what: Known | None, *, guest: bool = False) -> None:
    """Keep who is inside; an invitation is used up by ways in, and a visitor's home is told."""
    plate = passage.plate
    if what and what.visit:
        drove(what.visit, passage.direction, passage.began_at)
    inside = Stay.objects.filter(place=passage.place_id, plate=plate, until__isnull=True)
    if passage.direction == "out":
        inside.filter(since__lte=passage.began_at).update(until=passage.began_at)
        return
    visitor = passage.klass not in ("registered", "white", "emergency")
    home = what.household if what else None
    inside.update(until=passage.began_at)  # it was not read on its way out
    Stay.objects.create(
        place_id=passage.place_id, plate=plate, guest=visitor or guest, household_id=home, since=passage.began_at
    )
    if passage.entry_id:
        ListEntry.objects.filter(pk=passage.entry_id).update(used=F("used") + 1)


def _watched(passage: Passage, what: Known | None) -> None:
    entry = ListEntry.objects.filter(pk=what.entry).first() if what and what.entry else None
    text = _("On the list until %(until)s, entered by %(author)s: %(purpose)s") % {
        "until": entry.until.isoformat(timespec="minutes") if entry else "",
        "author": entry.author if entry else "",
        "purpose": entry.purpose if entry else "",
    }
    title = _("Vehicle watched for: %(plate)s") % {"plate": passage.plate}
    report(SYSTEM, CaseReport(passage.lane.place_id, title, "high", "vehicle.watched", text))


def _derived(row: BatchRow, passage: Passage) -> Derived:
    result: dict[str, Any] = {"plate": passage.plate, "class": passage.klass, "direction": passage.direction}
    if passage.like:
        result["like"] = passage.like
    if passage.snapshot:
        result["snapshot"] = passage.snapshot
    return Derived(source=row.id, kind="vehicle.passage", result=result, feature=row.foi or passage.plate)


@transaction.atomic
def answer(actor: Actor, passage_id: int, *, let_in: bool, like: bool = False, reason: str = "") -> Passage:
    """The guard decides on a waiting vehicle: let it through, as the plate it is like (`like`) or for a reason; or not.

    Whoever lets a stranger in says why; it is kept and counted. Conflict where somebody, or the time, was first.
    """
    rows = Passage.objects.select_for_update(of=("self",)).select_related("lane__barrier", "place")
    passage = policy.limit(rows, actor, GUARD).filter(pk=passage_id).first()
    if passage is None:
        raise NotFound(_("There is no passage %(id)s that you may decide.") % {"id": passage_id})
    if passage.state != State.WAITING:
        raise Conflict(_("This was decided already: %(state)s.") % {"state": passage.get_state_display()})
    if like and not passage.like:
        raise Invalid.one("like", _("There is no one plate that it is like."))
    if let_in and not like and not reason.strip():
        raise Invalid.one("reason", _("Say why; it is kept with the passage."))
    what = None
    if like:
        place = passage.place
        known = compound(place.pk, place.path, place.time_zone, timezone.now()).known
        what = known.get(normalised(passage.like))
        if what is None:
            raise Conflict(_("%(plate)s is no longer on a list.") % {"plate": passage.like})
        passage.plate, passage.klass = passage.like, what.klass
        passage.vehicle_id, passage.entry_id = what.vehicle, what.entry
    passage.state = State.LET_IN if let_in else State.REFUSED
    passage.decided_by, passage.decided_at, passage.note = actor.label[:120], timezone.now(), reason.strip()[:200]
    passage.save()
    if what is not None and what.klass == "watch":
        _watched(passage, what)
    if let_in:
        _open(actor if actor.may("devices.command", passage.place.path) else SYSTEM, passage, reason or passage.plate)
        _gone_through(passage, what)
    data = {"state": passage.state, "like": like, "override": let_in and not like}
    record(actor, Act("vehicles.answer", passage, place=passage.place_id, reason=reason.strip(), data=data))
    return passage


@transaction.atomic
def expire_waiting(actor: Actor, now: datetime | None = None) -> int:
    """Close the questions that nobody answered in the lane's time; how many."""
    moment = now or timezone.now()
    rows = Passage.objects.select_for_update(of=("self",), skip_locked=True).select_related("lane")
    late = [
        passage
        for passage in rows.filter(state=State.WAITING)
        if (moment - passage.last_at).total_seconds() > passage.lane.wait_seconds
    ]
    for passage in late:
        passage.state, passage.decided_at = State.EXPIRED, moment
    Passage.objects.bulk_update(late, ["state", "decided_at"])
    record_many(actor, [Act("vehicles.expire", passage, place=passage.place_id) for passage in late])
    return len(late)
