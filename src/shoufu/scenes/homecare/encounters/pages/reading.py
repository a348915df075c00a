"""An encounter as sections of a page: what was written, in words; earlier versions below the one that counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shoufu.scenes.homecare.encounters import checklists
from shoufu.scenes.homecare.encounters.services.looks import Pictured, Shown, Written
from shoufu.scenes.homecare.encounters.words import context, english, vitals, word

Row = tuple[str, str]
OWN = ("vitals", "record", "consumables", "consent", "signature", "missed", "addendum")
"""What the patient reads: not the number by which they were identified, nor each tick of the checklist."""
ORDER = ("identity", "consent", "checklist", "vitals", "record", "consumables", "signature", "missed", "addendum")


@dataclass(frozen=True)
class Version:
    """One entry in words, with who wrote it when."""

    rows: Sequence[Row]
    at: datetime
    known_at: datetime
    author: str
    number: int
    strokes: Sequence[str] = ()
    box: str = ""


@dataclass(frozen=True)
class Section:
    """What counts of one kind (several for what is added to), and what it replaced."""

    kind: str
    title: str
    versions: Sequence[Version]
    earlier: Sequence[Version] = field(default_factory=tuple)


def sections(shown: Shown, *, own: bool = False) -> list[Section]:
    """The whole encounter; with `own` what its patient reads."""
    found = []
    for kind in ORDER:
        if own and kind not in OWN:
            continue
        versions = [_version(one) for one in shown.all(kind)]
        if not versions:
            continue
        adds = kind in ("vitals", "addendum")
        now, earlier = (versions, []) if adds else (versions[-1:], versions[:-1])
        found.append(Section(kind, word("kind", kind), now, () if own else tuple(reversed(earlier))))
    return found


def _version(one: Written) -> Version:
    entry, content = one.entry, one.content
    strokes: Sequence[str] = ()
    box = ""
    if entry.kind == "signature" and content.get("strokes"):
        strokes = [" ".join(f"{x:g},{y:g}" for x, y in stroke) for stroke in content["strokes"]]
        box = f"0 0 {content['width']} {content['height']}"
    rows = [row for row in WORDS[entry.kind](content) if row[1]]
    return Version(rows, entry.at, entry.known_at, entry.author.person.name, entry.number, strokes, box)


def _identity(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("How"), word("method", content["method"])
    yield _("Result"), word("result", content["result"])
    yield _("Last digits"), content["digits"]
    yield _("Note"), content["note"]


def _consent(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("Service"), word("answer", "yes" if content["service"] else "no")
    yield _("Photos"), word("answer", "yes" if content["photos"] else "no")
    yield _("Agreed by"), word("by", content["by"])


def _checklist(content: Mapping[str, Any]) -> Iterator[Row]:
    known = checklists.versions().get(content["checklist"])
    labels = {item.code: item.label for item in known.items} if known else {}
    for code, answer in content["answers"].items():
        note = content["notes"].get(code, "")
        yield labels.get(code, code), word("answer", answer) + (f" · {note}" if note else "")


def _vitals(content: Mapping[str, Any]) -> Iterator[Row]:
    yield from vitals(content["values"])
    yield _("Glucose taken"), context(content["context"])
    yield _("By device"), content["device"]


def _record(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("Findings"), content["findings"]
    for wound in content["wounds"]:
        size = " × ".join(f"{wound[name]:g}" for name in ("length", "width", "depth") if wound[name] is not None)
        parts = (f"{size} cm" if size else "", wound["tissue"], wound["exudate"])
        yield f"{_('Wound')} · {wound['site']}", ", ".join(part for part in parts if part) or "–"
    yield _("What was done"), content["measures"]
    for drug in content["medications"]:
        parts = (drug["dose"], word("route", drug["route"]), drug["lot"])
        yield f"{_('Medication')} · {drug['name']}", ", ".join(part for part in parts if part)
    yield _("Teaching"), content["teaching"]
    yield _("Next time"), content["next"]


def _consumables(content: Mapping[str, Any]) -> Iterator[Row]:
    for one in content["used"]:
        name = one["name_en"] if english() and one["name_en"] else one["name"]
        lot = f" · {one['lot']}" if one["lot"] else ""
        yield name, f"{one['quantity']:g} {one['unit']}{lot}"


def _signature(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("Signed by"), " · ".join(part for part in (word("by", content["by"]), content["name"]) if part)
    yield _("Why nobody"), content["reason"]


def _missed(content: Mapping[str, Any]) -> Iterator[Row]:
    yield _("Reason"), word("cause", content["cause"])
    yield _("Note"), content["note"]


def _addendum(content: Mapping[str, Any]) -> Iterator[Row]:
    yield word("kind", content["of"]) if content["of"] else _("Text"), content["text"]


WORDS = {
    "identity": _identity,
    "consent": _consent,
    "checklist": _checklist,
    "vitals": _vitals,
    "record": _record,
    "consumables": _consumables,
    "signature": _signature,
    "missed": _missed,
    "addendum": _addendum,
}


@dataclass(frozen=True)
class Shot:
    """A picture with its caption, and how large what it shows was measured."""

    id: str
    title: str
    measured: str
    note: str
    at: datetime
    here: bool
    size: str
    outline: str
    ruler: str


def shot(one: Pictured) -> Shot:
    detail, measured = one.detail, one.detail.get("measured")
    said = ""
    if measured and measured["area"]:
        said = _("%(length)s × %(width)s cm, %(area)s cm²") % {
            "length": f"{measured['length']:.1f}",
            "width": f"{measured['width']:.1f}",
            "area": f"{measured['area']:.1f}",
        }
    title = " · ".join(part for part in (word("subject", detail["subject"]), detail["site"]) if part)
    ends = detail["ruler"]["ends"] if detail["ruler"] else []
    return Shot(
        str(one.photo.pk),
        title,
        said,
        detail["note"],
        one.photo.at,
        one.here,
        f"0 0 {one.photo.width} {one.photo.height}",
        " ".join(f"{x:g},{y:g}" for x, y in detail["outline"]),
        " ".join(f"{x:g},{y:g}" for x, y in ends),
    )
