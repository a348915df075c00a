from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from shoufu.engines.plates.match import MatchClass, PlateIndex
from shoufu.kernel.base.scene import Derived
from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.selectors import registered_plates
from shoufu.kernel.places.models import Place

CLASSES = {MatchClass.EXACT: "registered", MatchClass.FUZZY: "similar", MatchClass.NONE: "unknown"}


def vehicle_passages(rows: Sequence[BatchRow]) -> Iterator[Derived]:
    """What the register says of each plate read at a gate, on the day of the passage.

    "similar" is a plate within a likely misreading of a registered one: for a person to judge, never to open.
    """
    paths = dict(Place.objects.filter(pk__in={row.place_id for row in rows}).values_list("pk", "path"))
    groups: defaultdict[tuple[str, datetime], list[BatchRow]] = defaultdict(list)
    for row in rows:
        day = datetime.fromtimestamp(row.t, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        groups[paths[row.place_id], day].append(row)
    for (path, day), found in groups.items():
        index = PlateIndex(registered_plates(path, day.date()))
        yield from (_passage(row, index) for row in found)


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
