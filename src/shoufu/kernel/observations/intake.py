import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from shoufu.kernel.observations.directory import DeviceEntry, Directory
from shoufu.kernel.observations.identity import content_id
from shoufu.kernel.observations.limits import MAX_AGE, MAX_AHEAD, MAX_RESULT
from shoufu.kernel.observations.schema import ResultError
from shoufu.kernel.observations.wire import BatchRow, Fault, Item, Parsed

GATEWAY = "gateway"
_odd_in_text = re.compile(r"[\\\t\n\r]").search
_sorted = msgspec.json.Encoder(order="sorted").encode


class Row(msgspec.Struct, gc=False):
    """An accepted observation on its way into the log: `copy` is its COPY text from column `id` on."""

    copy: bytes
    out: BatchRow


Admitted = Row | Fault


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is the same for all items of one body; times in epoch seconds."""

    sender: DeviceEntry
    directory: Directory
    oldest: float
    newest: float


def admit(
    items: Sequence[Parsed], sender: DeviceEntry, directory: Directory, now: float | None = None
) -> list[Admitted]:
    """Check each item and make it a row, in order; what cannot be taken becomes a Fault.

    `sender` is the device whose credential was shown. It reports for itself; a gateway also for the devices in the
    subtree of its place. `now` is the server's clock in epoch seconds.
    """
    clock = time.time() if now is None else now
    frame = _Frame(sender, directory, clock - MAX_AGE.total_seconds(), clock + MAX_AHEAD.total_seconds())
    times = _times([item.time for item in items if type(item) is Item])
    return [_admit_one(item, next(times), frame) if type(item) is Item else item for item in items]  # type: ignore[misc]


def _times(times: list[datetime]) -> Iterator[bytes]:
    """Times as RFC 3339 text; one call for all, since this is the hot path."""
    return iter(msgspec.json.encode(times)[2:-2].split(b'","'))


def _admit_one(item: Item, time_text: bytes, frame: _Frame) -> Admitted:
    device = frame.sender
    if item.device is not None and item.device != device.code:
        other = represented(item.device, device, frame.directory)
        if isinstance(other, Fault):
            return other
        device = other
    kind = frame.directory.kinds.get(item.kind)
    if kind is None:
        return Fault("kind", "/kind", f"There is no kind {item.kind[:64]!r}: send one that this installation knows.")
    t = item.time.timestamp()
    if not frame.oldest <= t <= frame.newest:
        return _wrong_time(item.time, t < frame.oldest)
    text = bytes(item.result)
    if len(text) > MAX_RESULT:
        return Fault("too-large", "/result", f"{len(text)} bytes: send at most {MAX_RESULT}.")
    try:
        result = kind.decode(text)
    except ResultError as error:
        return _unfit(error)
    # Decoding has refused every control character but white space; four searches cost a fifth of one by pattern.
    if b"\\" in text or b"\n" in text or b"\t" in text or b"\r" in text:
        if b"\\u0000" in text and _has_nul(result):
            return Fault("schema", "/result", "A text holds the character U+0000: leave it out.")
        text = msgspec.json.encode(result).replace(b"\\", b"\\\\")
    feature, foi = item.feature, b"\\N"
    if feature is not None:
        if "\x00" in feature:
            return Fault("invalid", "/featureOfInterest", "The text holds the character U+0000: leave it out.")
        foi = (_escape(feature) if _odd_in_text(feature) else feature).encode()
    id = item.id
    if id is None:
        id = content_id(device.id, kind.code, t, feature, _sorted(result))
    elif id.int >> 76 & 0xF != 7:
        return Fault("invalid", "/id", "The id is not a UUID of version 7: send one, or leave it out.")
    copy = b"%032x\t%b\t%d\t%b\t%b\t%b\n" % (id.int, time_text, kind.id, device.tail, foi, text)
    out = BatchRow(id, t, kind.code, device.code, device.id, device.place_id, device.shard, feature, result)
    return Row(copy, out)


def _unfit(error: ResultError) -> Fault:
    first, *others = error.errors
    return Fault("schema", first.field, first.message + "".join(f" {one.field}: {one.message}" for one in others))


def represented(code: str, sender: DeviceEntry, directory: Directory) -> DeviceEntry | Fault:
    """The device with this code where `sender` may speak for it: itself, or for a gateway those in its subtree."""
    if code == sender.code:
        return sender
    device = directory.devices.get(code)
    if device is not None and sender.kind == GATEWAY and device.path.startswith(sender.path):
        return device
    if sender.kind == GATEWAY:
        return Fault(
            "device", "/device", f"There is no device {code[:64]!r} in this gateway's place: send another code."
        )
    return Fault("device", "/device", f"This credential belongs to {sender.code!r}: send that code, or leave it out.")


def _wrong_time(sent: datetime, old: bool) -> Fault:
    shown = sent.isoformat()
    if old:
        return Fault(
            "time", "/phenomenonTime", f"{shown} is more than {MAX_AGE.days} days ago: set the device's clock."
        )
    minutes = int(MAX_AHEAD.total_seconds() // 60)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Fault(
        "time", "/phenomenonTime", f"{shown} is more than {minutes} minutes ahead of {now}: set the device's clock."
    )


def _has_nul(value: Any) -> bool:
    return b"\\u0000" in msgspec.json.encode(value).replace(b"\\\\", b"")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
