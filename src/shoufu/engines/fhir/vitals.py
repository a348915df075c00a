"""The vital signs profiles, which every Observation that is a vital sign must meet.

http://hl7.org/fhir/R4/observation-vitalsigns.html: the LOINC code of the profile is required even where a more precise
code is given too, so that readings of all devices can be found by it; units are those of UCUM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .issues import Issue

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@dataclass(frozen=True, slots=True)
class Vital:
    """A profile: its name and LOINC code, the codes that say the same more precisely, and the units of its value."""

    name: str
    code: str
    loinc: frozenset[str]
    snomed: frozenset[str]
    units: frozenset[str] = frozenset()
    valued: bool = False


def _vital(name: str, code: str, loinc: str, snomed: str, units: str = "", *, valued: bool = False) -> Vital:
    return Vital(
        name,
        code,
        frozenset({code, *loinc.split()}),
        frozenset(snomed.split()),
        frozenset(units.split()),
        valued,
    )


PANEL = _vital("vital signs panel", "85353-1", "", "46680005")
PRESSURE = _vital(
    "blood pressure",
    "85354-9",
    "35094-2 8459-0 76534-7 55284-4 8480-6 8462-4",
    "75367002 251076008 163033001 163035008 386534000 386536003 271649006 271650006 407556006 407554009 399304008",
)
VITALS = (
    PANEL,
    _vital("respiratory rate", "9279-1", "76170-0 76172-6 76171-8 19840-8 33438-3 11291-2", "86290005", "/min"),
    _vital(
        "heart rate",
        "8867-4",
        "60978-4 73795-7 73799-9 76476-1 76477-9 8889-8 8890-6 8891-4 8892-2 8893-0 40443-4 55425-3 68999-2 69000-8",
        "364075005 249043002 444981005 399017001 251670001 429525003 429614003",
        "/min",
    ),
    _vital(
        "oxygen saturation",
        "2708-6",
        "19224-5 20564-1 2709-4 2710-2 2713-6 51733-4 59408-5 59417-6 89276-0 97549-0",
        "442476006 431314004",
        "%",
    ),
    _vital(
        "body temperature",
        "8310-5",
        "60834-9 60835-6 60836-4 60838-0 60955-2 61009-7 75539-7 75987-8 76010-8 76011-6 76278-1 8309-7 8328-7 8329-5"
        " 8330-3 8331-1 8332-9 8333-7 8334-5 91371-5 98657-0 98663-8",
        "386725007 276885007 300076005 364246006 307047009 708499008 431598003 698831002 698832009 415882003 415974002"
        " 415929009 415945006",
        "Cel [degF]",
    ),
    _vital("body height", "8302-2", "3137-7 3138-5 8306-3 8308-9", "50373000 1153637007", "cm [in_i]"),
    _vital("head circumference", "9843-4", "8287-5", "363812007 169876006 363811000", "cm [in_i]"),
    _vital("body weight", "29463-7", "3141-9 3142-7 75292-3 79348-9 8350-1 8351-9", "27113001", "kg [lb_av] g"),
    _vital("body mass index", "39156-5", "89270-3", "60621009", "kg/m2", valued=True),
    PRESSURE,
)


def faults(observation: dict[str, Any], path: str) -> Iterator[Issue]:
    """What the profile of a vital sign says against an Observation of right shape; nothing for other observations."""
    codes = set(_codes(observation.get("code")))
    found = [vital for vital in VITALS if _is(vital, codes)]
    if not found:
        return
    vital = found[0]
    for name, message in (*_heading(observation), *_coding(vital, codes), *_value(vital, observation)):
        yield Issue(f"{path}.{name}", f"{message} ({vital.name})", "business-rule")


def _is(vital: Vital, codes: set[tuple[str, str]]) -> bool:
    return any(
        (system == LOINC and code in vital.loinc) or (system == SNOMED and code in vital.snomed)
        for system, code in codes
    )


def _codes(concept: Any) -> Iterator[tuple[str, str]]:
    for coding in (concept or {}).get("coding", ()):
        if isinstance(coding.get("system"), str) and isinstance(coding.get("code"), str):
            yield coding["system"], coding["code"]


def _heading(observation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    categories = observation.get("category", ())
    if not any((CATEGORY, "vital-signs") in _codes(category) for category in categories):
        yield "category", f"a vital sign needs the category {CATEGORY}#vital-signs"
    if "subject" not in observation:
        yield "subject", "a vital sign needs its patient"
    times = ("effectiveDateTime", "_effectiveDateTime", "effectivePeriod")
    if not any(name in observation for name in times):
        yield "effective", "a vital sign needs the time as effectiveDateTime or effectivePeriod"
    elif len(observation.get("effectiveDateTime", "2026-01-01")) < len("2026-01-01"):
        yield "effectiveDateTime", "the time of a vital sign is known to the day at least (vs-1)"


def _coding(vital: Vital, codes: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    if (LOINC, vital.code) not in codes:
        yield "code", f"needs the coding {LOINC}#{vital.code} too"


def _value(vital: Vital, observation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    components = observation.get("component", ())
    valued = _valued(observation)
    if not components and "hasMember" not in observation and not valued and "dataAbsentReason" not in observation:
        yield "value", "needs a value, or the reason why there is none (vs-2)"
    for place, component in enumerate(components):
        name = f"component[{place}]"
        if not _valued(component) and "dataAbsentReason" not in component:
            yield f"{name}.value", "needs a value, or the reason why there is none (vs-3)"
    if vital is PRESSURE:
        yield from _pressure(observation, components)
    elif vital is PANEL:
        if "hasMember" not in observation:
            yield "hasMember", "a panel names its readings"
    elif valued and valued != "valueQuantity":
        yield valued, "the value is a Quantity"
    elif vital.valued and not valued:
        yield "valueQuantity", "is required"
    elif valued:
        yield from _quantity("valueQuantity", observation["valueQuantity"], vital.units)


def _valued(owner: dict[str, Any]) -> str:
    return next((name for name in owner if name.startswith("value")), "")


def _pressure(observation: dict[str, Any], components: Any) -> Iterator[tuple[str, str]]:
    if _valued(observation):
        yield _valued(observation), "has no value of its own, only components"
    for code, name in (("8480-6", "systolic"), ("8462-4", "diastolic")):
        places = [place for place, component in enumerate(components) if (LOINC, code) in _codes(component.get("code"))]
        if len(places) != 1:
            yield "component", f"needs one {name} component with {LOINC}#{code}"
        for place in places:
            if "valueQuantity" in components[place]:
                yield from _quantity(
                    f"component[{place}].valueQuantity", components[place]["valueQuantity"], frozenset({"mm[Hg]"})
                )


def _quantity(name: str, quantity: dict[str, Any], units: frozenset[str]) -> Iterator[tuple[str, str]]:
    for part in ("value", "unit", "system", "code"):
        if part not in quantity and f"_{part}" not in quantity:
            yield f"{name}.{part}", "is required in a vital sign"
    if quantity.get("system", UCUM) != UCUM:
        yield f"{name}.system", f"units are those of {UCUM}"
    elif "code" in quantity and quantity["code"] not in units:
        yield f"{name}.code", f"'{quantity['code']}' is not among {', '.join(sorted(units))}"
