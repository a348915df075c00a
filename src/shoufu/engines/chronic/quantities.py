"""What can be measured at home, in which unit, and which values a living person can have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """One number of a reading: unit (UCUM code beside it), LOINC code, the least and most that are taken.

    The limits tell a slip of the finger from a sick person: they are wide, and no guideline's.
    `days` is for how many days back a value still says something of the present.
    """

    code: str
    text: str
    text_en: str
    unit: str
    ucum: str
    loinc: str
    least: float
    most: float
    decimals: int = 0
    days: int = 28


@dataclass(frozen=True)
class Kind:
    """A sort of reading: which quantities it must have, which it may have, and whether it has a context."""

    code: str
    text: str
    text_en: str
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    loinc: str = ""

    @property
    def quantities(self) -> tuple[str, ...]:
        return self.needs + self.may


QUANTITIES: Mapping[str, Quantity] = {
    one.code: one
    for one in (
        Quantity("systolic", "收缩压（高压）", "Systolic pressure", "mmHg", "mm[Hg]", "8480-6", 50, 300),
        Quantity("diastolic", "舒张压（低压）", "Diastolic pressure", "mmHg", "mm[Hg]", "8462-4", 20, 200),
        Quantity("pulse", "脉搏", "Pulse", "/min", "/min", "8867-4", 20, 250),
        Quantity("glucose", "血糖", "Glucose", "mmol/L", "mmol/L", "14743-9", 0.5, 60, 1),
        Quantity("weight", "体重", "Weight", "kg", "kg", "29463-7", 10, 350, 1, 90),
        Quantity("hba1c", "糖化血红蛋白", "HbA1c", "%", "%", "4548-4", 3, 20, 1, 200),
        Quantity("spo2", "血氧饱和度", "Oxygen saturation", "%", "%", "59408-5", 40, 100),
        Quantity("temperature", "体温", "Temperature", "°C", "Cel", "8310-5", 30, 44, 1, 7),
    )
}
CONTEXTS: Mapping[str, tuple[str, str]] = {
    "fasting": ("空腹", "Fasting"),
    "after_meal": ("餐后 2 小时", "2 h after a meal"),
    "bedtime": ("睡前", "At bedtime"),
    "random": ("随机", "At any time"),
}
KINDS: Mapping[str, Kind] = {
    one.code: one
    for one in (
        Kind("blood_pressure", "血压", "Blood pressure", ("systolic", "diastolic"), ("pulse",), loinc="85354-9"),
        Kind("glucose", "血糖", "Glucose", ("glucose",), contexts=tuple(CONTEXTS), loinc="14743-9"),
        Kind("weight", "体重", "Weight", ("weight",), loinc="29463-7"),
        Kind("hba1c", "糖化血红蛋白", "HbA1c", ("hba1c",), loinc="4548-4"),
        Kind("spo2", "血氧", "Oxygen saturation", ("spo2",), ("pulse",), loinc="59408-5"),
        Kind("temperature", "体温", "Temperature", ("temperature",), loinc="8310-5"),
    )
}


@dataclass(frozen=True)
class WrongValue:
    """What is wrong with a field of a reading: "missing", "unknown", "least", "most", "choice" or "order".

    `least` and `most` are the limits where it is one of those; for "order" the diastolic pressure is not below the
    systolic.
    """

    field: str
    what: str
    least: float = 0
    most: float = 0
    choices: tuple[str, ...] = ()


def faults(kind: str, values: Mapping[str, float], context: str = "") -> list[WrongValue]:
    """What keeps these values from being a reading; nothing for a good one."""
    known = KINDS.get(kind)
    if known is None:
        return [WrongValue("kind", "choice", choices=tuple(KINDS))]
    return list(_faults(known, values, context))


def _faults(kind: Kind, values: Mapping[str, float], context: str) -> Iterator[WrongValue]:
    for name in kind.needs:
        if name not in values:
            yield WrongValue(name, "missing")
    for name, value in values.items():
        if name not in kind.quantities:
            yield WrongValue(name, "unknown", choices=kind.quantities)
            continue
        quantity = QUANTITIES[name]
        # A NaN is neither too small nor too large: ask for what is right.
        if not quantity.least <= value <= quantity.most:
            yield WrongValue(name, "most" if value > quantity.most else "least", quantity.least, quantity.most)
    if "systolic" in values and "diastolic" in values and values["diastolic"] >= values["systolic"]:
        yield WrongValue("diastolic", "order")
    if kind.contexts and context not in kind.contexts:
        yield WrongValue("context", "choice", choices=kind.contexts)
    if not kind.contexts and context:
        yield WrongValue("context", "unknown")
