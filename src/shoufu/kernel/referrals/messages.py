"""What a referral says to the receiver: CAP 1.2, as XML or as JSON."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from shoufu.engines import cap
from shoufu.kernel.base import keyring
from shoufu.kernel.cases.lifecycle import case_kind
from shoufu.kernel.cases.models import Case
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals.models import Destination, Message, Referral

SEVERITY = {
    "critical": cap.Severity.EXTREME,
    "high": cap.Severity.SEVERE,
    "medium": cap.Severity.MODERATE,
    "low": cap.Severity.MINOR,
}
URGENCY = {
    "critical": cap.Urgency.IMMEDIATE,
    "high": cap.Urgency.IMMEDIATE,
    "medium": cap.Urgency.EXPECTED,
    "low": cap.Urgency.FUTURE,
}
NEAR_KILOMETRES = 0.05
CONTENT_TYPES = {Destination.Body.CAP: "application/cap+xml", Destination.Body.JSON: "application/json"}


def sender() -> str:
    """Who we are to receivers: the host of `SHOUFU_ORIGIN`, or this machine without one."""
    hosts = [urlsplit(origin).hostname for origin in settings.CSRF_TRUSTED_ORIGINS]
    return f"shoufu@{hosts[0] if hosts and hosts[0] else 'localhost'}"


def _address(referral: Referral) -> str:
    origin = next(iter(settings.CSRF_TRUSTED_ORIGINS), "")
    return f"{origin}{reverse('referrals:detail', args=[referral.pk])}" if origin else ""


def contact_of(referral: Referral) -> str:
    """Whom to call about the case, in clear; empty when nobody was named or the retention is over."""
    if not referral.contact:
        return ""
    return keyring.ring().decrypt(bytes(referral.contact), b"referrals.contact").decode()


def sealed_contact(text: str) -> bytes | None:
    return keyring.ring().encrypt(text.encode(), b"referrals.contact") if text else None


def _trail(place: Place) -> list[Place]:
    ids = [int(part) for part in place.path.strip("/").split("/")]
    found = Place.objects.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def exact_place(place: Place, *, english: bool = False) -> str:
    """The whole way down to the place in words: "皇姑区 松山小区 5 号楼 2 单元"."""
    return " ".join((step.name_en if english and step.name_en else step.name) for step in _trail(place))


def _area(case: Case, *, english: bool) -> cap.Area:
    """The place by name and code; its outline where it has one, else a circle around the nearest known point."""
    trail = _trail(case.place)
    polygons = tuple(_rings(case.place.geometry))
    point = next(((s.latitude, s.longitude) for s in reversed(trail) if s.latitude is not None), None)
    if case.device and case.device.latitude is not None:
        point = (case.device.latitude, case.device.longitude)
    circles: tuple[cap.Circle, ...] = ()
    if point is not None and point[0] is not None and point[1] is not None:
        circles = (cap.Circle(point[0], point[1], NEAR_KILOMETRES),)
    return cap.Area(
        exact_place(case.place, english=english),
        polygons=polygons,
        circles=circles if not polygons else (),
        geocodes=(("shoufu:place", case.place.code),),
    )


def _rings(geometry: Any) -> list[tuple[tuple[float, float], ...]]:
    """The outer rings of a GeoJSON polygon as CAP has them: latitude first."""
    if not isinstance(geometry, dict):
        return []
    shapes = {"Polygon": lambda g: [g["coordinates"]], "MultiPolygon": lambda g: g["coordinates"]}
    read = shapes.get(geometry.get("type", ""))
    if read is None:
        return []
    return [tuple((float(y), float(x)) for x, y, *_rest in shape[0]) for shape in read(geometry) if len(shape[0]) >= 4]


def _info(referral: Referral, *, english: bool, withdrawn: bool) -> cap.Info:
    case, kind = referral.case, case_kind(referral.case.kind)
    zone = ZoneInfo(case.place.time_zone)
    title = (case.title_en or case.title) if english else case.title
    where = exact_place(case.place, english=english)
    parameters = [
        ("shoufu:referral", referral.number),
        ("shoufu:case", case.number),
        ("shoufu:state", case.state),
        ("shoufu:duress", "true" if referral.duress else "false"),
        ("shoufu:occurrences", str(case.occurrences)),
        ("shoufu:evidence", str(case.evidence.count())),
    ]
    if case.outcome:
        parameters.append(("shoufu:outcome", case.outcome))
    return cap.Info(
        language="en-US" if english else "zh-CN",
        categories=(cap.Category.SECURITY,),
        event=kind.name_en if english else kind.name,
        responses=(cap.Response.ALL_CLEAR if withdrawn else cap.Response.ASSESS,),
        urgency=cap.Urgency.PAST if withdrawn else URGENCY[case.severity],
        severity=SEVERITY[case.severity],
        certainty=cap.Certainty.OBSERVED,
        event_codes=(("shoufu:kind", case.kind),),
        onset=case.opened_at.astimezone(zone),
        sender_name=_sender_name(case.place, english=english),
        headline=f"{where}：{title}" if not english else f"{where}: {title}",
        description=referral.reason,
        web=_address(referral),
        contact=contact_of(referral),
        parameters=tuple(parameters),
        areas=(_area(case, english=english),),
    )


def _sender_name(place: Place, *, english: bool) -> str:
    compound = next((step for step in reversed(_trail(place)) if step.kind == Place.Kind.COMPOUND), place)
    return (compound.name_en if english and compound.name_en else compound.name) or "Shoufu"


def _status(referral: Referral) -> cap.Status:
    return cap.Status.EXERCISE if referral.exercise else cap.Status.ACTUAL


def compose(referral: Referral, kind: str, identifier: str, now: datetime, note: str = "") -> cap.Alert:
    """The message about a referral; later ones refer to those before."""
    zone = ZoneInfo(referral.case.place.time_zone)
    earlier = Message.objects.filter(referral=referral, kind__in=[Message.Kind.ALERT, Message.Kind.UPDATE])
    references = tuple(
        cap.Reference(sender(), message.identifier, message.sent.astimezone(zone)) for message in earlier.order_by("id")
    )
    types = {
        Message.Kind.ALERT: cap.MessageType.ALERT,
        Message.Kind.UPDATE: cap.MessageType.UPDATE,
        Message.Kind.CANCEL: cap.MessageType.CANCEL,
    }
    withdrawn = kind == Message.Kind.CANCEL
    return cap.Alert(
        identifier=identifier,
        sender=sender(),
        sent=now.astimezone(zone),
        status=_status(referral),
        type=types[Message.Kind(kind)],
        scope=cap.Scope.RESTRICTED,
        restriction=referral.destination.restriction,
        source="Shoufu",
        note=note or ("演练 exercise" if referral.exercise else ""),
        references=references if kind != Message.Kind.ALERT else (),
        incidents=(referral.case.number,),
        infos=tuple(_info(referral, english=english, withdrawn=withdrawn) for english in (False, True)),
    )


def compose_test(destination: Destination, kind: str, identifier: str, now: datetime) -> cap.Alert:
    """A message that asks nobody to do anything: the daily test, or a heartbeat (status Test)."""
    zone = ZoneInfo(destination.place.time_zone)
    daily = kind == Message.Kind.TEST
    info = cap.Info(
        language="zh-CN",
        categories=(cap.Category.OTHER,),
        event="每日测试" if daily else "心跳",
        responses=(cap.Response.NONE,),
        urgency=cap.Urgency.UNKNOWN,
        severity=cap.Severity.MINOR,
        certainty=cap.Certainty.UNLIKELY,
        headline="每日线路测试，请勿处置" if daily else "线路心跳",
        parameters=(("shoufu:destination", destination.code),),
    )
    return cap.Alert(
        identifier=identifier,
        sender=sender(),
        sent=now.astimezone(zone),
        status=cap.Status.TEST,
        type=cap.MessageType.ALERT,
        scope=cap.Scope.RESTRICTED,
        restriction=destination.restriction,
        source="Shoufu",
        note="测试，请勿处置 test, no action",
        infos=(info,),
    )


def encode(alert: cap.Alert, body: str, kind: str) -> bytes:
    """The bytes to sign and send. Raises ValueError for a message that the standard forbids."""
    if found := cap.faults(alert):
        raise ValueError(f"{alert.identifier}: {'; '.join(found)}")
    if body == Destination.Body.CAP:
        return cap.to_xml(alert)
    content = {"type": f"referral.{kind}", "timestamp": cap.time_text(alert.sent), "data": cap.to_json(alert)}
    return msgspec.json.encode(content)


def queue(destination: Destination, kind: str, identifier: str, alert: cap.Alert, referral: Referral | None) -> Message:
    """Put a message into the destination's queue, in the caller's transaction."""
    content = encode(alert, destination.body, kind)
    now = timezone.now()
    return Message.objects.create(
        identifier=identifier,
        destination=destination,
        referral=referral,
        kind=kind,
        content_type=CONTENT_TYPES[Destination.Body(destination.body)],
        content=keyring.ring().encrypt(content, b"referrals.message"),
        sent=alert.sent.replace(microsecond=0),
        next_at=now,
    )


def content_of(message: Message) -> bytes:
    """The bytes that were signed and sent."""
    return keyring.ring().decrypt(bytes(message.content), b"referrals.message")
