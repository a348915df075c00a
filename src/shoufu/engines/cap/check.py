from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from .alert import Alert, Area, Info, MessageType, Reference, Scope, Status

_FORBIDDEN = set(" ,<&")
_SINGLE = 2000


def faults(alert: Alert) -> list[str]:
    """What the standard (CAP 1.2, 3.2) forbids in this message, each as "element: sentence"; empty when it is right."""
    return [*_head(alert), *_links(alert), *(f for n, info in enumerate(alert.infos) for f in _info(info, n))]


def _named(element: str, value: str) -> Iterator[str]:
    if not value:
        yield f"{element}: must not be empty"
    elif bad := _FORBIDDEN & set(value):
        yield f"{element}: must not hold {' '.join(repr(letter) for letter in sorted(bad))}"
    elif any(letter.isspace() for letter in value):
        yield f"{element}: must not hold white space"


def _time(element: str, value: datetime | None) -> Iterator[str]:
    if value is None:
        return
    offset = value.utcoffset()
    if offset is None:
        yield f"{element}: needs a time zone"
    elif offset.total_seconds() % 60:
        yield f"{element}: the time zone's offset must be whole minutes"


def _head(alert: Alert) -> Iterator[str]:
    yield from _named("identifier", alert.identifier)
    yield from _named("sender", alert.sender)
    yield from _time("sent", alert.sent)
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        yield "restriction: a message of scope Restricted must say for whom it is"
    if alert.scope is not Scope.RESTRICTED and alert.restriction:
        yield "restriction: only where the scope is Restricted"
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        yield "addresses: a message of scope Private must name its receivers"
    if any('"' in address for address in (*alert.addresses, *alert.incidents)):
        yield "addresses: must not hold quotation marks"
    if alert.status is Status.EXERCISE and not alert.note:
        yield "note: an exercise must be named"


def _links(alert: Alert) -> Iterator[str]:
    if alert.type in (MessageType.UPDATE, MessageType.CANCEL, MessageType.ACK, MessageType.ERROR):
        if not alert.references:
            yield f"references: a message of type {alert.type} must name what it is about"
    elif alert.references:
        yield "references: an Alert begins; send an Update"
    if alert.type is MessageType.ERROR and not alert.note:
        yield "note: an Error must say what is wrong"
    for reference in alert.references:
        yield from _reference(reference)
    if alert.type in (MessageType.ALERT, MessageType.UPDATE) and not alert.infos:
        yield "info: an Alert or Update must say what happened"


def _reference(reference: Reference) -> Iterator[str]:
    yield from _named("references: identifier", reference.identifier)
    yield from _named("references: sender", reference.sender)
    yield from _time("references: sent", reference.sent)


def _info(info: Info, index: int) -> Iterator[str]:
    at = f"info[{index}]"
    if not info.categories:
        yield f"{at}.category: at least one"
    if not info.event.strip():
        yield f"{at}.event: must not be empty"
    for name in ("effective", "onset", "expires"):
        yield from _time(f"{at}.{name}", getattr(info, name))
    if info.expires and info.effective and info.expires <= info.effective:
        yield f"{at}.expires: must lie after effective"
    if info.web and not urlsplit(info.web).scheme:
        yield f"{at}.web: must be a full address"
    for name, values in (("parameter", info.parameters), ("eventCode", info.event_codes)):
        if any(not key for key, _value in values):
            yield f"{at}.{name}: valueName must not be empty"
    for resource in info.resources:
        if not resource.description or not resource.mime_type:
            yield f"{at}.resource: needs a description and a MIME type"
    for area in info.areas:
        yield from _area(area, at)


def _area(area: Area, at: str) -> Iterator[str]:
    if not area.description.strip():
        yield f"{at}.areaDesc: must not be empty"
    for polygon in area.polygons:
        if len(polygon) < 4 or polygon[0] != polygon[-1]:
            yield f"{at}.polygon: at least four points, the last as the first"
        if len(polygon) > _SINGLE:
            yield f"{at}.polygon: at most {_SINGLE} points"
        if any(not (-90 <= latitude <= 90 and -180 <= longitude <= 180) for latitude, longitude in polygon):
            yield f"{at}.polygon: pairs are latitude,longitude in degrees"
    for circle in area.circles:
        if not (-90 <= circle.latitude <= 90 and -180 <= circle.longitude <= 180 and circle.radius >= 0):
            yield f"{at}.circle: latitude,longitude in degrees and a radius in kilometres"
