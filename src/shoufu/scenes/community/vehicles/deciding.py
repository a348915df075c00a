"""What a barrier does with a plate that was read: pure, so that every case of it can be tried.

Exact opens. Anything near a known plate is for a person: 2.7 % of unregistered local plates lie within one likely
misreading of a registered one. Police, fire and rescue pass by the form of their plate, without a register.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shoufu.engines.plates.grammar import form_of
from shoufu.engines.plates.match import MatchClass, PlateIndex, normalised

SURE = 0.8
EMERGENCY_FORMS = frozenset({"police", "emergency", "armed-police", "armed-police-old"})
OPEN, ASK, REFUSE = "open", "ask", "refuse"


@dataclass(frozen=True)
class Known:
    """What is known of a plate: on which list ("registered", "white", …), ids of the rows, whether its household has
    no space left, and whether the visitor who gave it is inside already."""

    klass: str
    vehicle: int | None = None
    entry: int | None = None
    visit: int | None = None
    inside: bool = False
    household: int | None = None
    crowded: bool = False


@dataclass(frozen=True)
class Decision:
    """`action` is "open", "ask" or "refuse"; `reason` a code (see `words.REASONS`); `like` the plate it may be."""

    action: str
    klass: str
    reason: str
    plate: str
    like: str = ""
    known: Known | None = None
    guest: bool = False


@dataclass(frozen=True)
class Rules:
    """How the compound wants it: `second_car` as in Parking.SecondCar; `free_exit` opens for whoever leaves."""

    second_car: str = "allow"
    free_exit: bool = True


def emergency(plate: str) -> bool:
    """Whether the plate's form is one of police, armed police or fire and rescue (GA 36, 应急 series)."""
    form = form_of(normalised(plate))
    return form is not None and form.name in EMERGENCY_FORMS


def decide(
    plate: str, score: float, direction: str, index: PlateIndex, known: Mapping[str, Known], rules: Rules
) -> Decision:
    """What to do with one reading; `known` has every plate of the index."""
    text = normalised(plate)
    match = index.match(text)
    exact = known.get(normalised(match.plate or "")) if match.kind is MatchClass.EXACT else None
    if exact is not None and exact.klass == "watch":
        return Decision(ASK, "watch", "watched", text, known=exact)
    if score < SURE:
        like = text if exact is not None else _like(match.plate, match.rivals)
        return Decision(ASK, "similar" if like else "unknown", "unsure", text, like)
    if emergency(text) or (exact is not None and exact.klass == "emergency"):
        return Decision(OPEN, "emergency", "emergency", text, known=exact)
    if exact is not None:
        return _let(exact, text, direction, rules)
    if match.kind is MatchClass.FUZZY:
        if direction == "out" and rules.free_exit and known[normalised(match.plate or "")].klass != "watch":
            return Decision(OPEN, "similar", "leaves", text, _like(match.plate, match.rivals))
        return Decision(ASK, "similar", "similar", text, _like(match.plate, match.rivals))
    if direction == "out" and rules.free_exit:
        return Decision(OPEN, "unknown", "leaves", text)
    return Decision(ASK, "unknown", "unknown", text)


def _like(plate: str | None, rivals: int) -> str:
    return normalised(plate) if plate and not rivals else ""


def _let(known: Known, plate: str, direction: str, rules: Rules) -> Decision:
    if known.inside and direction != "out":
        return Decision(ASK, known.klass, "inside", plate, known=known)
    if direction == "out" or not known.crowded or rules.second_car == "allow":
        return Decision(OPEN, known.klass, "known", plate, known=known)
    if rules.second_car == "guest":
        return Decision(OPEN, known.klass, "second_car_guest", plate, known=known, guest=True)
    action = REFUSE if rules.second_car == "refuse" else ASK
    return Decision(action, known.klass, "second_car", plate, known=known)
