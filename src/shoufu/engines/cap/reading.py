import re
import shlex
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from .alert import (
    NAMESPACE,
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MessageType,
    Reference,
    Resource,
    Response,
    Scope,
    Severity,
    Status,
    Urgency,
)

E = TypeVar("E", bound=StrEnum)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
# The schema's sequences: a child that comes out of turn makes the message invalid.
_ORDER = {
    "alert": (
        "identifier sender sent status msgType source scope restriction addresses code note references incidents info"
    ),
    "info": (
        "language category event responseType urgency severity certainty audience eventCode effective onset expires "
        "senderName headline description instruction web contact parameter resource area"
    ),
    "resource": "resourceDesc mimeType size uri derefUri digest",
    "area": "areaDesc polygon circle geocode altitude ceiling",
}


class CapError(ValueError):
    """The bytes are no CAP 1.2 message; the text names the element."""


def from_xml(data: bytes) -> Alert:
    """Read a message strictly: namespace, order of elements, words and times as the schema has them. CapError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CapError(f"no XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise CapError("a document type is not allowed")
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise CapError(f"alert: expected the element alert of {NAMESPACE}")
    return _alert(root)


def _children(parent: etree._Element, kind: str) -> None:
    order = _ORDER[kind].split()
    last = 0
    for child in parent.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        if name not in order:
            raise CapError(f"{kind}: no element {name} here")
        place = order.index(name)
        if place < last:
            raise CapError(f"{kind}: {name} stands out of turn")
        last = place


def _text(parent: etree._Element, name: str, *, needed: bool = False) -> str:
    found = parent.findtext(f"{{{NAMESPACE}}}{name}")
    if needed and not (found or "").strip():
        raise CapError(f"{name}: is missing")
    return (found or "").strip()


def _word(parent: etree._Element, name: str, kind: type[E]) -> E:
    text = _text(parent, name, needed=True)
    try:
        return kind(text)
    except ValueError as error:
        raise CapError(f"{name}: {text!r} is none of {', '.join(kind)}") from error


def _words(parent: etree._Element, name: str, kind: type[E]) -> tuple[E, ...]:
    try:
        return tuple(kind((one.text or "").strip()) for one in parent.iterchildren(f"{{{NAMESPACE}}}{name}"))
    except ValueError as error:
        raise CapError(f"{name}: {error}") from error


def _moment(name: str, text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise CapError(f"{name}: {text!r}; write 2026-11-24T09:02:03+08:00 (no Z, no fractions)")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise CapError(f"{name}: {text!r}: {error}") from error


def _maybe(parent: etree._Element, name: str) -> datetime | None:
    text = _text(parent, name)
    return _moment(name, text) if text else None


def _references(text: str) -> tuple[Reference, ...]:
    found = []
    for one in text.split():
        parts = one.split(",")
        if len(parts) != 3:
            raise CapError(f"references: {one!r} is not sender,identifier,sent")
        found.append(Reference(parts[0], parts[1], _moment("references", parts[2])))
    return tuple(found)


def _listed(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise CapError(f"{name}: {error}") from error


def _alert(root: etree._Element) -> Alert:
    _children(root, "alert")
    return Alert(
        identifier=_text(root, "identifier", needed=True),
        sender=_text(root, "sender", needed=True),
        sent=_moment("sent", _text(root, "sent", needed=True)),
        status=_word(root, "status", Status),
        type=_word(root, "msgType", MessageType),
        scope=_word(root, "scope", Scope),
        source=_text(root, "source"),
        restriction=_text(root, "restriction"),
        addresses=_listed("addresses", _text(root, "addresses")),
        note=_text(root, "note"),
        references=_references(_text(root, "references")),
        incidents=_listed("incidents", _text(root, "incidents")),
        infos=_each(root, "info", _info),
    )


T = TypeVar("T")


def _each(parent: etree._Element, name: str, read: Callable[[etree._Element], T]) -> tuple[T, ...]:
    return tuple(read(child) for child in parent.iterchildren(f"{{{NAMESPACE}}}{name}"))


def _pair(element: etree._Element) -> tuple[str, str]:
    return _text(element, "valueName", needed=True), _text(element, "value")


def _info(element: etree._Element) -> Info:
    _children(element, "info")
    return Info(
        language=_text(element, "language") or "en-US",
        categories=_words(element, "category", Category),
        event=_text(element, "event", needed=True),
        responses=_words(element, "responseType", Response),
        urgency=_word(element, "urgency", Urgency),
        severity=_word(element, "severity", Severity),
        certainty=_word(element, "certainty", Certainty),
        event_codes=_each(element, "eventCode", _pair),
        effective=_maybe(element, "effective"),
        onset=_maybe(element, "onset"),
        expires=_maybe(element, "expires"),
        sender_name=_text(element, "senderName"),
        headline=_text(element, "headline"),
        description=_text(element, "description"),
        instruction=_text(element, "instruction"),
        web=_text(element, "web"),
        contact=_text(element, "contact"),
        parameters=_each(element, "parameter", _pair),
        resources=_each(element, "resource", _resource),
        areas=_each(element, "area", _area),
    )


def _resource(element: etree._Element) -> Resource:
    _children(element, "resource")
    size = _text(element, "size")
    if size and not size.isdigit():
        raise CapError(f"size: {size!r} is no number of bytes")
    return Resource(
        description=_text(element, "resourceDesc", needed=True),
        mime_type=_text(element, "mimeType", needed=True),
        size=int(size) if size else None,
        uri=_text(element, "uri"),
        digest=_text(element, "digest"),
    )


def _area(element: etree._Element) -> Area:
    _children(element, "area")
    return Area(
        description=_text(element, "areaDesc", needed=True),
        polygons=_each(element, "polygon", _polygon),
        circles=_each(element, "circle", _circle),
        geocodes=_each(element, "geocode", _pair),
    )


def _point(text: str) -> tuple[float, float]:
    latitude, _comma, longitude = text.partition(",")
    return float(latitude), float(longitude)


def _polygon(element: etree._Element) -> tuple[tuple[float, float], ...]:
    try:
        return tuple(_point(one) for one in (element.text or "").split())
    except ValueError as error:
        raise CapError(f"polygon: {error}") from error


def _circle(element: etree._Element) -> Circle:
    try:
        centre, radius = (element.text or "").split()
        latitude, longitude = _point(centre)
        return Circle(latitude, longitude, float(radius))
    except ValueError as error:
        raise CapError(f"circle: {error}") from error
