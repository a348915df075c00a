"""What can be told of a code of a system that FHIR names but does not publish: its letters, check digit or grammar.

http://hl7.org/fhir/R4/terminologies-systems.html names the systems; a Coding's code is one that its system defines
(http://hl7.org/fhir/R4/datatypes.html#Coding). Whether a well-formed code exists is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate, repeat

from . import currencies, ucum

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_WORD = r"[A-Za-z0-9!#$&^_.+*-]+"
# What follows the type is left to whoever reads it: published examples have spaces in it.
_MIME = re.compile(rf"{_WORD}/{_WORD}(\s*;.*)?")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[ix])(?:-[A-Za-z0-9]{1,8})*")
# Parts, answers, lists and groups have letters before their number; only tests and panels have a check digit of Luhn.
_LOINC = re.compile(r"(?P<test>\d{1,7})-(?P<check>\d)|L[A-Z]\d+-\d|MTHU\d+")
# A concept, or an expression in the compositional grammar, which begins with one.
_SNOMED = re.compile(r"\s*(?:===|<<<)?\s*\(?\s*(?P<concept>[1-9]\d{5,17})(?![0-9A-Za-z]).*", re.DOTALL)
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_TURNS = tuple(
    accumulate(repeat(_TURN, 7), lambda row, turn: tuple(turn[one] for one in row), initial=tuple(range(10)))
)


def is_loinc(code: str) -> bool:
    """A LOINC code: digits with a check digit (LOINC Users' Guide), or a part, answer, list or group."""
    found = _LOINC.fullmatch(code)
    if found is None or found["test"] is None:
        return found is not None
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(found["test"]))]
    return (sum(one // 10 + one % 10 for one in doubled) + int(found["check"])) % 10 == 0


def is_snomed(code: str) -> bool:
    """A SNOMED CT identifier (6 to 18 digits with a check digit of Verhoeff), or an expression that begins with one."""
    found = _SNOMED.fullmatch(code)
    if found is None:
        return False
    check = 0
    for place, digit in enumerate(reversed(found["concept"])):
        check = _times(check, _TURNS[place % 8][int(digit)])
    return check == 0


def _times(one: int, other: int) -> int:
    """The product in the symmetry group of the pentagon: turns below five, mirrored ones from five on."""
    turned = (one + other if one < 5 else one - other) % 5
    return turned + 5 * ((one < 5) != (other < 5))


FORMS: dict[str, Callable[[str], bool]] = {
    SNOMED: is_snomed,
    LOINC: is_loinc,
    UCUM: ucum.is_unit,
    "urn:ietf:bcp:13": lambda code: _MIME.fullmatch(code) is not None or code in ("json", "xml", "ttl", "*"),
    "urn:ietf:bcp:47": lambda code: _LANGUAGE.fullmatch(code) is not None,
    "urn:iso:std:iso:4217": lambda code: code in currencies.CODES,
    "urn:iso:std:iso:3166": lambda code: re.fullmatch(r"[A-Z]{2,3}|\d{3}", code) is not None,
}


def well_formed(system: str, code: str) -> bool | None:
    """Whether a code can be one of a system; None for a system of which nothing is known here."""
    form = FORMS.get(system)
    return None if form is None else form(code)
