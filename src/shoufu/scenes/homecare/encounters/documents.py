"""What the lines of a phone carry, by kind; sizes and limits are checked here, rights and states in the services."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta, Struct

from shoufu.engines.chronic import CONTEXTS, QUANTITIES, Quantity
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.media.sealed import MOST
from shoufu.scenes.homecare.encounters import checklists, measuring

Short = Annotated[str, Meta(max_length=120)]
Line = Annotated[str, Meta(max_length=300)]
Text = Annotated[str, Meta(max_length=4000)]
Code = Annotated[str, Meta(max_length=32)]
Coordinate = tuple[float, float]

METHODS = ("document", "face", "known")
MATCHES = ("match", "mismatch")
SIGNERS = ("patient", "family", "guardian", "nobody")
ANSWERS = ("yes", "no", "na")
SUBJECTS = ("wound", "skin", "stoma", "device", "document", "other")
ROUTES = ("oral", "im", "iv", "sc", "topical", "inhaled", "other")
CAUSES = ("nobody_home", "refused", "not_the_patient", "not_fit", "unsafe", "other")

VITALS: dict[str, Quantity] = {
    **{code: QUANTITIES[code] for code in ("systolic", "diastolic", "pulse", "temperature", "spo2")},
    "respiration": Quantity("respiration", "呼吸", "Respiration", "/min", "/min", "9279-1", 4, 80),
    "glucose": QUANTITIES["glucose"],
}
"""What can be measured at a visit, with the limits that tell a slip of the finger from a sick person."""


class Where(Struct, forbid_unknown_fields=True):
    """A check-in or check-out. Without a fix there is no position, and `reason` says why."""

    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    accuracy: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    reason: Annotated[str, Meta(max_length=200)] = ""


class Identity(Struct, forbid_unknown_fields=True):
    """How it was made sure that this is the patient: by a document, by the face against the document (looked at by the
    nurse, never by a machine), or as a person known from before. `digits` are the last ones of a number, if asked."""

    method: str
    result: str = "match"
    digits: Annotated[str, Meta(pattern="^[0-9Xx]{0,6}$")] = ""
    note: Line = ""


class Agreed(Struct, forbid_unknown_fields=True):
    """What was explained and agreed to at the door: the service by its text, and pictures of the body."""

    service: bool
    photos: bool = False
    by: str = "patient"
    version: int = 0


class Ticked(Struct, forbid_unknown_fields=True):
    checklist: Code
    answers: dict[Code, str]
    notes: dict[Code, Line] = {}


class Wound(Struct, forbid_unknown_fields=True):
    """Centimetres; `tissue` and `exudate` in words."""

    site: Short
    length: Annotated[float, Meta(ge=0, le=100)] | None = None
    width: Annotated[float, Meta(ge=0, le=100)] | None = None
    depth: Annotated[float, Meta(ge=0, le=50)] | None = None
    tissue: Short = ""
    exudate: Short = ""


class Medication(Struct, forbid_unknown_fields=True):
    name: Short
    dose: Short
    route: str = "other"
    lot: Short = ""


class Record(Struct, forbid_unknown_fields=True):
    findings: Text = ""
    measures: Text = ""
    teaching: Text = ""
    next: Text = ""
    wounds: Annotated[list[Wound], Meta(max_length=20)] = []
    medications: Annotated[list[Medication], Meta(max_length=20)] = []


class Vitals(Struct, forbid_unknown_fields=True):
    """Values by the codes of `VITALS`; `device` names the cuff where it sent them itself."""

    values: dict[Code, float]
    context: Code = ""
    device: Short = ""


class Ruler(Struct, forbid_unknown_fields=True):
    """Two points on the ruler in pixels of the picture, and the millimetres between them."""

    ends: tuple[Coordinate, Coordinate]
    millimetres: Annotated[float, Meta(gt=0, le=1000)]


class Picture(Struct, forbid_unknown_fields=True):
    """A picture that will come: its bytes by size and SHA-256 (hex), and what it shows."""

    media: Annotated[str, Meta(max_length=36)]
    content_type: str
    size: Annotated[int, Meta(ge=1)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Meta(ge=1, le=20_000)]
    height: Annotated[int, Meta(ge=1, le=20_000)]
    subject: str = "other"
    site: Short = ""
    note: Line = ""
    ruler: Ruler | None = None
    outline: Annotated[list[Coordinate], Meta(max_length=200)] = []


class Used(Struct, forbid_unknown_fields=True):
    name: Short
    quantity: Annotated[float, Meta(ge=0, le=1000)]
    unit: Short = ""
    name_en: Short = ""
    lot: Short = ""


class Consumables(Struct, forbid_unknown_fields=True):
    used: Annotated[list[Used], Meta(max_length=60)]


class Signature(Struct, forbid_unknown_fields=True):
    """Who signed, with the strokes of the pen: points in a box of `width` by `height`. Where nobody could, why."""

    by: str
    name: Short = ""
    reason: Line = ""
    width: Annotated[int, Meta(ge=0, le=4000)] = 0
    height: Annotated[int, Meta(ge=0, le=4000)] = 0
    strokes: Annotated[list[Annotated[list[Coordinate], Meta(max_length=3000)]], Meta(max_length=200)] = []


class Trail(Struct, forbid_unknown_fields=True):
    """Points: milliseconds since 1970 by the phone, longitude, latitude, metres of accuracy."""

    points: Annotated[list[tuple[float, float, float, float]], Meta(min_length=1, max_length=2000)]


class Addendum(Struct, forbid_unknown_fields=True):
    """Something that is put right or added afterwards; `of` is the kind of entry that it belongs to."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    of: Code = ""


class Missed(Struct, forbid_unknown_fields=True):
    cause: str
    note: Line = ""
    where: Where = msgspec.field(default_factory=Where)


KINDS: Mapping[str, type[Struct]] = {
    "check_in": Where,
    "identity": Identity,
    "consent": Agreed,
    "checklist": Ticked,
    "record": Record,
    "vitals": Vitals,
    "photo": Picture,
    "consumables": Consumables,
    "signature": Signature,
    "trail": Trail,
    "check_out": Where,
    "addendum": Addendum,
    "missed": Missed,
}
PATH = re.compile(r" - at `\$(.*?)`$")


def read(kind: str, content: Any) -> Any:
    """The document of a line; Invalid names each field that is wrong."""
    shape = KINDS.get(kind)
    if shape is None:
        raise Invalid.one("kind", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)})
    try:
        document = msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        found = PATH.search(str(error))
        where = found[1].lstrip(".") if found else ""
        said = _("Does not fit: %(what)s") % {"what": PATH.sub("", str(error))}
        raise Invalid.one(f"content.{where}" if where else "content", said) from error
    if errors := [FieldError(f"content.{field}", said) for field, said in _faults(document)]:
        raise Invalid(*errors)
    return document


def plain(document: Struct) -> dict[str, Any]:
    """The document as it is kept."""
    kept: dict[str, Any] = msgspec.to_builtins(document)
    return kept


def _faults(document: Struct) -> Iterator[tuple[str, str]]:
    match document:
        case Identity():
            yield from _choice("method", document.method, METHODS)
            yield from _choice("result", document.result, MATCHES)
        case Agreed():
            yield from _choice("by", document.by, SIGNERS[:3])
        case Ticked():
            yield from _ticked(document)
        case Record():
            for n, drug in enumerate(document.medications):
                yield from _choice(f"medications[{n}].route", drug.route, ROUTES)
        case Vitals():
            yield from _vitals(document)
        case Picture():
            yield from _picture(document)
        case Signature():
            yield from _signature(document)
        case Missed():
            yield from _choice("cause", document.cause, CAUSES)
        case _:
            return


def _choice(field: str, value: str, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    listed = list(known)
    if value not in listed:
        yield field, _("Use one of: %(kinds)s.") % {"kinds": ", ".join(listed)}


def _ticked(document: Ticked) -> Iterator[tuple[str, str]]:
    found = checklists.versions().get(document.checklist)
    if found is None:
        yield "checklist", _("There is no such checklist.")
        return
    known = {item.code for item in found.items}
    for code, answer in document.answers.items():
        if code not in known:
            yield f"answers.{code}", _("There is no such item.")
        yield from _choice(f"answers.{code}", answer, ANSWERS)


def _vitals(document: Vitals) -> Iterator[tuple[str, str]]:
    values = document.values
    if not values:
        yield "values", _("Write at least one value.")
    for code, value in values.items():
        quantity = VITALS.get(code)
        if quantity is None:
            yield from _choice(f"values.{code}", code, VITALS)
        elif not quantity.least <= value <= quantity.most:
            words = {"least": f"{quantity.least:g}", "most": f"{quantity.most:g}", "unit": quantity.unit}
            yield f"values.{code}", _("From %(least)s to %(most)s %(unit)s; look at it again.") % words
    if ("systolic" in values) != ("diastolic" in values):
        yield "values", _("Blood pressure needs both values.")
    elif "systolic" in values and values["diastolic"] >= values["systolic"]:
        yield "values.diastolic", _("Must be below the systolic pressure.")
    if document.context:
        yield from _choice("context", document.context, CONTEXTS)


def _picture(document: Picture) -> Iterator[tuple[str, str]]:
    yield from _choice("subject", document.subject, SUBJECTS)
    yield from _choice("content_type", document.content_type, ("image/jpeg", "image/png", "image/webp"))
    if document.size > MOST:
        words = {"most": MOST >> 20, "size": round(document.size / (1 << 20), 1)}
        yield (
            "size",
            _("A picture may have %(most)s MiB; this one has %(size)s. Make it smaller and send it again.") % words,
        )
    for field, points in (("ruler.ends", document.ruler.ends if document.ruler else ()), ("outline", document.outline)):
        if any(not (0 <= x <= document.width and 0 <= y <= document.height) for x, y in points):
            yield field, _("Lies outside the picture.")
    if document.outline and (len(document.outline) < 3 or document.ruler is None):
        yield "outline", _("Needs three points and a ruler.")
    if document.ruler and measuring.scale(document.ruler.ends, document.ruler.millimetres) is None:
        yield "ruler.ends", _("The two points are too close together; choose points further apart on the ruler.")


def _signature(document: Signature) -> Iterator[tuple[str, str]]:
    yield from _choice("by", document.by, SIGNERS)
    if document.by == "nobody":
        if not document.reason.strip():
            yield "reason", _("Say why nobody could sign.")
        return
    if sum(len(stroke) for stroke in document.strokes) < 5:
        yield "strokes", _("Sign with a finger or a pen.")
    if document.by != "patient" and not document.name.strip():
        yield "name", _("Write who signed.")
    if any(not (0 <= x <= document.width and 0 <= y <= document.height) for s in document.strokes for x, y in s):
        yield "strokes", _("Lies outside the box.")
