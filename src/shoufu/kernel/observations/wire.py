from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from shoufu.kernel.base.errors import FieldError, Problem
from shoufu.kernel.observations.limits import MAX_BODY, MAX_FEATURE, MAX_ITEMS


class Item(msgspec.Struct, gc=False, rename={"time": "phenomenonTime", "feature": "featureOfInterest"}):
    """One observation as a device sends it (names of OGC SensorThings)."""

    kind: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    result: msgspec.Raw
    id: UUID | None = None
    feature: Annotated[str, msgspec.Meta(max_length=MAX_FEATURE)] | None = None
    device: str | None = None


class BatchRow(msgspec.Struct, gc=False):
    """One row of a committed batch: `t` in epoch seconds, `result` decoded, `ix` its place in the batch."""

    id: UUID
    t: float
    kind: str
    device: str
    device_id: int
    place_id: int
    shard: int
    foi: str | None
    result: Any
    ix: int = -1


class Batch(msgspec.Struct, gc=False):
    """A committed batch as it goes out on the subject `obs.batch` (msgpack); `known` in epoch seconds.

    `origin` names the edge process that committed it.
    """

    number: int
    known: float
    rows: list[BatchRow]
    origin: str = ""


class Fault(msgspec.Struct, gc=False):
    """Why one item was refused: a short reason (counted on the health page) and what is wrong with which field."""

    reason: str
    field: str
    message: str


Parsed = Item | Fault

_items = msgspec.json.Decoder(list[Item])
_item = msgspec.json.Decoder(Item)
_raws = msgspec.json.Decoder(list[msgspec.Raw])

FIXES = {
    "/phenomenonTime": "Send an RFC 3339 time with its offset, such as 2026-11-23T18:42:07.123+08:00.",
    "/id": "Send a UUID of version 7, or leave it out.",
    "/kind": "Send the code of a kind, such as door.state.",
    "/result": "Send an object that fits the kind's schema.",
    "/featureOfInterest": f"Send a text of at most {MAX_FEATURE} characters, or leave it out.",
    "/device": "Send the device's own code, or leave it out.",
}


def parse(body: bytes) -> tuple[list[Parsed], bool]:
    """The items of a body: one object, or an array of them (then True). Raises Problem when no item can be made out."""
    if len(body) > MAX_BODY:
        raise too_large(len(body))
    many = body[:1] == b"[" or body.lstrip()[:1] == b"["
    try:
        items: list[Parsed] = list(_items.decode(body)) if many else [_item.decode(body)]
    except msgspec.ValidationError:
        items = [_parse_one(raw) for raw in _split(body, many)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error) from error
    if len(items) > MAX_ITEMS:
        raise Problem(
            "Too many observations",
            f"{len(items)} in one request; send at most {MAX_ITEMS} at a time.",
            status=413,
            kind="too-large",
        )
    if not items:
        raise Problem("Nothing sent", "The array is empty; send at least one observation.", status=422, kind="invalid")
    return items, many


def too_large(size: int) -> Problem:
    """The refusal of a body of more than MAX_BODY bytes."""
    return Problem(
        "The body is too large", f"{size} bytes; send at most {MAX_BODY} at a time.", status=413, kind="too-large"
    )


def _malformed(error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return Problem("The JSON is too deep", "Send flat observations.", status=400, kind="too-deep")
    return Problem("The body is not JSON", f"{error}. Send one observation or an array of them.", kind="malformed")


def _split(body: bytes, many: bool) -> list[msgspec.Raw]:
    try:
        return _raws.decode(body) if many else [msgspec.Raw(body)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error) from error


def _parse_one(raw: msgspec.Raw) -> Parsed:
    try:
        return _item.decode(raw)
    except msgspec.ValidationError as error:
        what, field = pointer(str(error))
        reason = "time" if field == "/phenomenonTime" else "invalid"
        return Fault(reason, field or "/", " ".join(part for part in (f"{what}.", FIXES.get(field, "")) if part))
    except (msgspec.DecodeError, RecursionError) as error:
        return Fault("invalid", "/", f"{error}.")


def pointer(message: str) -> tuple[str, str]:
    """A msgspec error text as (what is wrong, JSON pointer): "… - at `$.a[0]`" → ("…", "/a/0")."""
    what, _, path = message.partition(" - at `$")
    if path:
        return what, path.rstrip("`").replace("[...]", "").replace("[", "/").replace("]", "").replace(".", "/")
    start = "Object missing required field `"
    if what.startswith(start):
        return what, "/" + what.removeprefix(start).rstrip("`")
    return what, ""


def field_errors(faults: list[tuple[int, Fault]], many: bool) -> tuple[FieldError, ...]:
    """Faults as errors of the whole body: JSON pointers from its root."""
    return tuple(
        FieldError(f"/{index}{fault.field}" if many else fault.field, fault.message) for index, fault in faults
    )
