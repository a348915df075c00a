from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shoufu.engines.plates.match import MatchClass, PlateIndex
from shoufu.kernel.base.scene import Derived
from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.selectors import registered_plates
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles.models import Lane
from shoufu.scenes.community.vehicles.services import take_reads

CLASSES = {MatchClass.EXACT: "registered", MatchClass.FUZZY: "similar", MatchClass.NONE: "unknown"}


def vehicle_passages(rows: Sequence[BatchRow]) -> Iterator[Derived]:
    """What the register and the lists say of each plate read; at a lane, one passage until the lane clears.

    A lane's barrier is ordered to open here, in the transaction in which the log is read. "similar" is a plate within a
    likely misreading of a known one: for a person to judge, never to open.
    """
    lanes = {
        lane.camera_id: lane
        for lane in Lane.objects.select_related("compound", "place").filter(camera__in={row.device_id for row in rows})
    }
    at_lanes = [row for row in rows if row.device_id in lanes]
    if at_lanes:
        yield from take_reads(at_lanes, lanes)
    yield from _elsewhere([row for row in rows if row.device_id not in lanes])


def _elsewhere(rows: Sequence[BatchRow]) -> Iterator[Derived]:
    """Cameras without a lane: each reading for itself, on the day at its place."""
    found = Place.objects.filter(pk__in={row.place_id for row in rows}).values_list("pk", "path", "time_zone")
    places = {pk: (path, ZoneInfo(zone)) for pk, path, zone in found} if rows else {}
    groups: defaultdict[tuple[str, date], list[BatchRow]] = defaultdict(list)
    for row in rows:
        path, zone = places[row.place_id]
        groups[path, datetime.fromtimestamp(row.t, UTC).astimezone(zone).date()].append(row)
    for (path, day), group in groups.items():
        index = PlateIndex(registered_plates(path, day))
        yield from (_passage(row, index) for row in group)


def _passage(row: BatchRow, index: PlateIndex) -> Derived:
    read = str(row.result["plate"])
    match = index.match(read)
    result = {"plate": read, "class": CLASSES[match.kind]}
    if match.kind == MatchClass.FUZZY and match.plate and not match.rivals:
        result["like"] = match.plate
    for name in ("direction", "snapshot"):
        if name in row.result:
            result[name] = row.result[name]
    return Derived(source=row.id, kind="vehicle.passage", result=result, feature=row.foi or read)
