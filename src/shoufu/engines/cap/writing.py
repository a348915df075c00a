from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from lxml import etree

from .alert import NAMESPACE, Alert, Area, Info, Reference, Resource


def time_text(moment: datetime) -> str:
    """`2026-11-24T09:02:03+08:00`: whole seconds and a numeric offset, since the schema refuses Z and fractions.

    UTC is written -00:00 (CAP 1.2, 3.3.2).
    """
    text = moment.replace(microsecond=0).isoformat()
    return text.replace("+00:00", "-00:00")


def to_xml(alert: Alert) -> bytes:
    """The message as XML in UTF-8, elements in the order of the schema. The caller has asked `faults` before."""
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", time_text(alert.sent))
    _add(root, "status", alert.status)
    _add(root, "msgType", alert.type)
    _add(root, "source", alert.source)
    _add(root, "scope", alert.scope)
    _add(root, "restriction", alert.restriction)
    _add(root, "addresses", _listed(alert.addresses))
    _add(root, "note", alert.note)
    _add(root, "references", " ".join(map(_reference, alert.references)))
    _add(root, "incidents", _listed(alert.incidents))
    for info in alert.infos:
        _info(root, info)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text


def to_json(alert: Alert) -> dict[str, Any]:
    """The same content as plain values under the names of `Alert`; empty ones left out, times as in the XML."""
    found = _plain(asdict(alert))
    assert isinstance(found, dict)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item not in (None, "", (), [])}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return msgspec.to_builtins(value)


def _add(parent: etree._Element, name: str, text: str) -> None:
    """An element of text; none for an empty text. Characters that XML cannot hold are left out."""
    if not text:
        return
    kept = "".join(letter for letter in str(text) if letter in "\t\n\r" or ord(letter) >= 32 and _allowed(letter))
    etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = kept


def _allowed(letter: str) -> bool:
    return not 0xD800 <= ord(letter) <= 0xDFFF and ord(letter) not in (0xFFFE, 0xFFFF)


def _listed(values: tuple[str, ...]) -> str:
    """Values apart by spaces; those that hold white space in quotation marks."""
    return " ".join(f'"{value}"' if any(c.isspace() for c in value) else value for value in values)


def _reference(reference: Reference) -> str:
    return f"{reference.sender},{reference.identifier},{time_text(reference.sent)}"


def _pairs(parent: etree._Element, name: str, values: tuple[tuple[str, str], ...]) -> None:
    for key, value in values:
        pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        _add(pair, "valueName", key)
        etree.SubElement(pair, f"{{{NAMESPACE}}}value").text = str(value)


def _info(root: etree._Element, info: Info) -> None:
    found = etree.SubElement(root, f"{{{NAMESPACE}}}info")
    _add(found, "language", info.language)
    for category in info.categories:
        _add(found, "category", category)
    _add(found, "event", info.event)
    for response in info.responses:
        _add(found, "responseType", response)
    _add(found, "urgency", info.urgency)
    _add(found, "severity", info.severity)
    _add(found, "certainty", info.certainty)
    _pairs(found, "eventCode", info.event_codes)
    for name in ("effective", "onset", "expires"):
        moment = getattr(info, name)
        _add(found, name, time_text(moment) if moment else "")
    _add(found, "senderName", info.sender_name)
    for name in ("headline", "description", "instruction", "web", "contact"):
        _add(found, name, getattr(info, name))
    _pairs(found, "parameter", info.parameters)
    for resource in info.resources:
        _resource(found, resource)
    for area in info.areas:
        _area(found, area)


def _resource(parent: etree._Element, resource: Resource) -> None:
    found = etree.SubElement(parent, f"{{{NAMESPACE}}}resource")
    _add(found, "resourceDesc", resource.description)
    _add(found, "mimeType", resource.mime_type)
    _add(found, "size", "" if resource.size is None else str(resource.size))
    _add(found, "uri", resource.uri)
    _add(found, "digest", resource.digest)


def _area(parent: etree._Element, area: Area) -> None:
    found = etree.SubElement(parent, f"{{{NAMESPACE}}}area")
    _add(found, "areaDesc", area.description)
    for polygon in area.polygons:
        _add(found, "polygon", " ".join(f"{latitude:.6f},{longitude:.6f}" for latitude, longitude in polygon))
    for circle in area.circles:
        _add(found, "circle", f"{circle.latitude:.6f},{circle.longitude:.6f} {circle.radius:g}")
    _pairs(found, "geocode", area.geocodes)
