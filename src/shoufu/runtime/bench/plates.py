"""Made-up registers and misreadings of plates, and how often a misreading still tells which plate was meant.

A misreading can belong to several registered plates. For each way of misreading here it is known how likely a plate
gives a reading, so `limit` is what the best matcher could reach that knows this way: no matcher can do better.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shoufu.engines.plates.grammar import DIGITS, ISSUED, LETTERS, PROVINCES
from shoufu.engines.plates.match import MatchClass, PlateIndex

SIGNS = LETTERS + DIGITS
HOME = "辽"
CONFUSABLE = ("0DQO", "8B", "1I7TJ", "2Z", "5S", "4A", "6GC", "UVY", "MNH", "EF", "KX", "PR")
ALIKE = {sign: group.replace(sign, "") for group in CONFUSABLE for sign in group}

Dice = random.Random


@dataclass(frozen=True)
class Channel:
    """A way of misreading: `misread` makes a reading of a plate, `likelihood` says how often it makes that one."""

    name: str
    misread: Callable[[Dice, str], str]
    likelihood: Callable[[str, str], float]


@dataclass(frozen=True)
class Figures:
    """A register under a way of misreading.

    `right`: the share of readings for which the true plate came back; `limit`: the most that is possible;
    `taken`: readings that are another registered plate by chance, which no matcher can tell and counts as not right;
    `wrong_exact`: plates called exact that are not the reading; times in milliseconds.
    """

    register: str
    misread: str
    right: float
    limit: float
    taken: float
    wrong_exact: int
    p50_ms: float
    p99_ms: float


def local(dice: Dice, green: float = 0.1) -> str:
    """A plate of one office whose five signs are any letters and digits; some are green with eight characters."""
    return energy(dice, "A") if dice.random() < green else HOME + "A" + "".join(dice.choices(SIGNS, k=5))


def crowded(dice: Dice) -> str:
    """A plate of one office with at most two letters: what is really given out, so close to one another."""
    return energy(dice, "A") if dice.random() < 0.15 else HOME + "A" + _few_letters(dice)


def offices(dice: Dice) -> str:
    """The same of all offices of a province, one of ten from elsewhere."""
    province = dice.choice(list(ISSUED)) if dice.random() < 0.1 else HOME
    return province + dice.choice(ISSUED[province].replace("O", "A")) + _few_letters(dice)


def energy(dice: Dice, office: str) -> str:
    """A green plate of a small car."""
    return HOME + office + dice.choice("DF") + dice.choice(SIGNS) + "".join(dice.choices(DIGITS, k=4))


def _few_letters(dice: Dice) -> str:
    tail = dice.choices(DIGITS, k=5)
    for place in dice.sample(range(5), dice.choice((0, 1, 2))):
        tail[place] = dice.choice(LETTERS)
    return "".join(tail)


REGISTERS: dict[str, Callable[[Dice], str]] = {"local": local, "offices": offices, "crowded": crowded}


def register(made: Callable[[Dice], str], size: int, dice: Dice) -> list[str]:
    """So many different plates, in order."""
    found: set[str] = set()
    while len(found) < size:
        found.add(made(dice))
    return sorted(found)


def _alphabet(place: int) -> str:
    return PROVINCES if place == 0 else LETTERS if place == 1 else SIGNS


def _replace(dice: Dice, plate: str, first: int = 0) -> str:
    place = dice.randrange(first, len(plate))
    return _with(plate, place, dice.choice(_alphabet(place).replace(plate[place], "")))


def _with(plate: str, place: int, sign: str) -> str:
    return plate[:place] + sign + plate[place + 1 :]


def _differs(read: str, plate: str) -> int | None:
    """The one place where two texts of a length differ."""
    if len(read) != len(plate):
        return None
    places = [n for n in range(len(read)) if read[n] != plate[n]]
    return places[0] if len(places) == 1 else None


def _replaced(first: int) -> Callable[[str, str], float]:
    def likelihood(read: str, plate: str) -> float:
        place = _differs(read, plate)
        if place is None or place < first or read[place] not in _alphabet(place):
            return 0.0
        return 1 / (len(plate) - first) / (len(_alphabet(place).replace(plate[place], "")))

    return likelihood


def _confuse(dice: Dice, plate: str) -> str:
    places = [n for n in range(1, len(plate)) if plate[n] in ALIKE]
    if not places:
        return _replace(dice, plate)
    place = dice.choice(places)
    return _with(plate, place, dice.choice(ALIKE[plate[place]]))


def _confused(read: str, plate: str) -> float:
    places = [n for n in range(1, len(plate)) if plate[n] in ALIKE]
    place = _differs(read, plate)
    if not places:
        return _replaced(0)(read, plate)
    if place is None or place == 0 or read[place] not in ALIKE.get(plate[place], ""):
        return 0.0
    return 1 / len(places) / len(ALIKE[plate[place]])


def _lose(dice: Dice, plate: str) -> str:
    place = dice.randrange(1, len(plate))
    return plate[:place] + plate[place + 1 :]


def _lost(read: str, plate: str) -> float:
    places = range(1, len(plate))
    return sum(plate[:n] + plate[n + 1 :] == read for n in places) / len(places)


def _add(dice: Dice, plate: str) -> str:
    place = dice.randrange(1, len(plate) + 1)
    return plate[:place] + dice.choice(SIGNS) + plate[place:]


def _added(read: str, plate: str) -> float:
    if len(read) != len(plate) + 1:
        return 0.0
    ways = sum(read[n] in SIGNS and read[:n] + read[n + 1 :] == plate for n in range(1, len(read)))
    return ways / len(plate) / len(SIGNS)


def _elsewhere(dice: Dice, plate: str) -> str:
    return _with(plate, 0, dice.choice(PROVINCES.replace(plate[0], "")))


def _moved(read: str, plate: str) -> float:
    return float(_differs(read, plate) == 0 and read[0] in PROVINCES) / (len(PROVINCES) - 1)


CHANNELS = (
    Channel("any place, any character", _replace, _replaced(0)),
    Channel("behind the office, any character", lambda dice, plate: _replace(dice, plate, 2), _replaced(2)),
    Channel("alike characters", _confuse, _confused),
    Channel("one missing", _lose, _lost),
    Channel("one too many", _add, _added),
    Channel("province misread", _elsewhere, _moved),
    Channel("province lost", lambda _dice, plate: plate[1:], lambda read, plate: float(plate[1:] == read)),
)


def measure(name: str, plates: Sequence[str], channel: Channel, reads: int, dice: Dice, index: PlateIndex) -> Figures:
    """Ask the index for the plates of so many misreadings."""
    known = frozenset(plates)
    right = taken = wrong_exact = 0
    best = 0.0
    spent: list[float] = []
    for _ in range(reads):
        plate = dice.choice(plates)
        read = channel.misread(dice, plate)
        start = time.perf_counter()
        match = index.match(read)
        spent.append((time.perf_counter() - start) * 1000)
        right += match.plate == plate
        wrong_exact += match.kind is MatchClass.EXACT and match.plate != read
        taken += read in known
        best += 0.0 if read in known else certainty(read, known, channel)
    spent.sort()
    middle, late = (round(spent[int(reads * share)], 3) for share in (0.5, 0.99))
    right_share, limit, taken_share = (round(value / reads, 4) for value in (right, best, taken))
    return Figures(name, channel.name, right_share, limit, taken_share, wrong_exact, middle, late)


def certainty(read: str, known: frozenset[str], channel: Channel) -> float:
    """How likely the likeliest plate of a reading is the true one, all registered plates being equally usual."""
    likely = [channel.likelihood(read, plate) for plate in near(read) & known]
    return max(likely, default=0.0) / max(sum(likely), 1e-300)


def near(read: str) -> set[str]:
    """Every text one character away (another, one more, one less), without any index."""
    return set(_near(read))


def _near(read: str) -> Iterator[str]:
    every = PROVINCES + SIGNS + "IO"
    for place in range(len(read) + 1):
        yield from (read[:place] + sign + read[place:] for sign in every)
        if place < len(read):
            yield read[:place] + read[place + 1 :]
            yield from (_with(read, place, sign) for sign in every)
