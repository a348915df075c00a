"""What a line of a phone says, as labelled fields in words; also one that was refused for what it says."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from shoufu.kernel.base.errors import Invalid
from shoufu.scenes.homecare.encounters import documents
from shoufu.scenes.homecare.encounters.pages.reading import WORDS, Row
from shoufu.scenes.homecare.encounters.services.handlers import measured
from shoufu.scenes.homecare.encounters.services.syncing import TOO_LARGE
from shoufu.scenes.homecare.encounters.words import CODES, quantity, word

LONGEST = 400
DEEPEST = 6


def rows(kind: str, content: Mapping[str, Any]) -> list[Row]:
    """The fields of a line of this kind. Where it does not fit its kind, whatever there is, by the names of fields."""
    if TOO_LARGE in content:
        return [(_("Size"), _("%(n)s KiB; too large, and not kept") % {"n": round(content[TOO_LARGE] / 1024)})]
    try:
        document = documents.plain(documents.read(kind, content))
    except Invalid:
        return [row for row in _raw(content) if row[1]]
    return [row for row in KINDS[kind](document) if row[1]]


def _where(content: Mapping[str, Any]) -> Iterator[Row]:
    if content["longitude"] is None or content["latitude"] is None:
        yield _("Position"), _("Position unknown")
    else:
        accuracy = f" ± {content['accuracy']:.0f} m" if content["accuracy"] is not None else ""
        yield _("Position"), f"{content['latitude']:.5f}, {content['longitude']:.5f} (WGS-84){accuracy}"
    yield _("Reason"), content["reason"] or _("none given")


def _missed(content: Mapping[str, Any]) -> Iterator[Row]:
    yield from WORDS["missed"](content)
    where = content["where"]
    if where["longitude"] is not None:
        yield from list(_where(where))[:1]


def _picture(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("Shows"), word("subject", content["subject"])
    yield _("Body site"), content["site"]
    yield _("Note"), content["note"]
    found = measured(documents.read("photo", content))
    if found and found["area"]:
        yield _("Measured size"), f"{found['length']:.1f} × {found['width']:.1f} cm, {found['area']:.1f} cm²"
    yield _("File"), f"{content['width']} × {content['height']} px, {content['size'] / 1024:.0f} KiB"


def _trail(content: Mapping[str, Any]) -> Iterator[Row]:
    moments = sorted(datetime.fromtimestamp(one[0] / 1000, UTC) for one in content["points"])
    first, last = (timezone.localtime(one) for one in (moments[0], moments[-1]))
    yield _("Number of points"), str(len(moments))
    yield _("From – to"), f"{first:%m-%d %H:%M} – {last:%m-%d %H:%M}"


def _signature(content: Mapping[str, Any]) -> Iterator[Row]:
    yield from WORDS["signature"](content)
    if content["strokes"]:
        yield _("Strokes"), str(len(content["strokes"]))


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Row]]] = {
    **WORDS,
    "check_in": _where,
    "check_out": _where,
    "missed": _missed,
    "photo": _picture,
    "trail": _trail,
    "signature": _signature,
}


def _labels() -> dict[str, str]:
    return {
        "longitude": _("Longitude"), "latitude": _("Latitude"), "accuracy": _("Accuracy (m)"), "reason": _("Reason"),
        "method": _("How"), "result": _("Result"), "digits": _("Last digits"), "note": _("Note"),
        "service": _("Service"), "photos": _("Photos"), "by": _("By whom"), "version": _("version"),
        "checklist": _("Checklist"), "answers": _("Answers"), "notes": _("Notes"), "findings": _("Findings"),
        "measures": _("What was done"), "teaching": _("Teaching"), "next": _("Next time"), "wounds": _("Wounds"),
        "medications": _("Medication"), "site": _("Body site"), "length": _("Length (cm)"), "width": _("Width"),
        "depth": _("Depth (cm)"), "tissue": _("Tissue"), "exudate": _("Exudate"), "name": _("Name"),
        "name_en": _("Name (English)"), "dose": _("Dose"), "route": pgettext("medication", "Route"), "lot": _("Lot"),
        "values": _("Values"), "context": _("Glucose taken"), "device": _("By device"), "media": _("Picture"),
        "content_type": _("Kind of file"), "size": _("Size"), "sha256": "SHA-256", "height": _("Height"),
        "subject": _("Shows"), "ruler": _("Ruler"), "ends": _("Ends"), "millimetres": _("Millimetres"),
        "outline": _("Outline"), "used": word("kind", "consumables"), "quantity": _("Quantity"),
        "unit": pgettext("quantity", "Unit"),
        "strokes": _("Strokes"), "points": _("Number of points"), "text": _("Text"), "of": _("Belongs to"),
        "cause": _("Cause"), "where": _("Where"),
    }  # fmt: skip


def _raw(content: Any, before: str = "", depth: int = 0) -> Iterator[Row]:
    """Whatever a line says, flattened; long lists of figures by their length."""
    labels = _labels()
    for name, value in content.items() if isinstance(content, Mapping) else enumerate(content, 1):
        label = labels.get(str(name)) or quantity(str(name))
        where = f"{before} · {label}" if before else label
        if _figures(value):
            yield where, str(len(value))
        elif isinstance(value, Mapping | list) and depth < DEEPEST:
            yield from _raw(value, where, depth + 1)
        else:
            yield where, _said(str(name), value)


def _figures(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, list | int | float) for one in value)


def _said(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return word("answer", "yes" if value else "no")
    return word(name, value) if name in CODES else str(value)[:LONGEST]
