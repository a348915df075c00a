"""What the sensors of a record are: the dwelling's own doors, what a person sets off, and what only proves a link."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

OWN_DOOR = re.compile(r"front|main|entr|exit|outer|outside|home.?door|入户|大门|单元门|进户", re.IGNORECASE)
GOING = re.compile(r"(leav|enter|exit|return)\w*.?(home|house)|出门|回家|外出", re.IGNORECASE)
ANY_DOOR = re.compile(r"^d\d+\b|door|门", re.IGNORECASE)
INNER_DOOR = re.compile(
    r"bath|bed|toilet|closet|cup|cabinet|fridge|freez|micro|dish|wash|oven|drawer|kitchen|living|garage.?inner"
    r"|冰箱|柜|卧室|卫生间|厨房|客厅",
    re.IGNORECASE,
)
NOT_A_CONTACT = re.compile(r"\bpir\b|motion|红外|人体", re.IGNORECASE)
HEARTBEAT = re.compile(
    r"^(ba|batv?|batp|t|ls|p|h|e|zb)\d+\b|temp|batter|humid|lux|illumin|light.?level|heart|gateway|power|energy"
    r"|温度|湿度|电量|心跳|光照",
    re.IGNORECASE,
)


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FIRED = words(
    """on off open opened opening close closed closing true false 1 0 255 present absent motion no_motion nomotion
    active inactive detected clear cleared pressed released start stop begin end start_inst stop_inst
    开 关 打开 关闭 有人 无人 触发"""
)
NOTHING = frozenset({"unavailable", "unknown", "offline", "none", "null", "nan", "n/a", ""})
NUMBER = re.compile(r"-?\d+([.,]\d+)?([eE][-+]?\d+)?")
HELD = words("on open opened true 1 255 present active pressed 开 打开 有人")
FEW = 3
QUIET, BESIDE = 5400.0, 120.0
MORNING, EVENING = 6.0, 20.0
CLUSTER, LEAST, MUCH = 8, 3, 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a record: seconds of the wall clock, the sensor's name, its state in small letters."""

    t: float
    sensor: str
    state: str


def own_doors(sensors: Iterable[str]) -> frozenset[str]:
    """The sensors that stand for the dwelling's own door, by their names; none where no name says door."""
    doors = {name for name in sensors if ANY_DOOR.search(name) and not NOT_A_CONTACT.search(name)}
    own = {name for name in sensors if GOING.search(name)}
    own |= {name for name in doors if OWN_DOOR.search(name) and not INNER_DOOR.search(name)}
    return frozenset(own or {name for name in doors if not INNER_DOOR.search(name)})


def measuring(states: Mapping[str, set[str]]) -> frozenset[str]:
    """Sensors that measure (temperature, battery, power): their rows say nothing of the person.

    By name where no state is a switch's; else by numbers of more than a few values. `states`: a few of each sensor's.
    """
    found = set()
    for sensor, values in states.items():
        numbers = {value for value in values if NUMBER.fullmatch(value)}
        if len(numbers) > FEW or (HEARTBEAT.search(sensor) and not values & FIRED):
            found.add(sensor)
    return frozenset(found)


def states_of(rows: Iterable[tuple[str, str]], most: int = 12) -> dict[str, set[str]]:
    """Some of the states of each sensor."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for sensor, state in rows:
        if len(found[sensor]) < most:
            found[sensor].add(state)
    return found


def doors_by_use(rows: Sequence[Row]) -> frozenset[str]:
    """The sensor that behaves like the dwelling's own door, where no name tells: of its rows a good part stands at both
    ends of long quiet spans of the day. Rows in order of time. A bed or a chair that is held all the while is none."""
    at_ends: Counter[str] = Counter()
    spans: Counter[str] = Counter()
    for index in _quiet(rows):
        before = _near(rows, range(index, max(-1, index - CLUSTER), -1))
        after = _near(rows, range(index + 1, min(len(rows), index + 1 + CLUSTER)))
        for sensor in before.keys() & after.keys():
            if before[sensor][0].state in HELD and after[sensor][0].state not in HELD:
                continue
            spans[sensor] += 1
            at_ends[sensor] += len(before[sensor]) + len(after[sensor])
    whole = Counter(row.sensor for row in rows)
    found = [name for name in spans if spans[name] >= LEAST and at_ends[name] >= MUCH * whole[name]]
    return frozenset(sorted(found, key=lambda name: -spans[name])[:1])


def _quiet(rows: Sequence[Row]) -> Iterator[int]:
    """Rows after which nothing is heard for long, in the day."""
    for index in range(len(rows) - 1):
        hour = rows[index].t % 86400.0 / 3600.0
        if rows[index + 1].t - rows[index].t >= QUIET and MORNING <= hour < EVENING:
            yield index


def _near(rows: Sequence[Row], places: range) -> dict[str, list[Row]]:
    """The rows within two minutes of the first one, by sensor, the nearest first."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for place in places:
        if abs(rows[place].t - rows[places[0]].t) <= BESIDE:
            found[rows[place].sensor].append(rows[place])
    return found
