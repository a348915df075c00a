"""``POST /v1/media``: a picture or clip of a device, as the raw body."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import structlog
from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, Problem
from shoufu.kernel.media import services
from shoufu.kernel.media.services import StoreMedia
from shoufu.kernel.observations.directory import DeviceEntry
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.ingest import Ingest, unavailable
from shoufu.runtime.edge.messages import Disconnected, Receive, Scope, Send
from shoufu.runtime.edge.refusals import Counter

log = structlog.get_logger("edge")

MAX_BYTES = 64 << 20
TYPES = {"image/jpeg": "snapshot", "image/png": "snapshot", "image/webp": "snapshot", "video/mp4": "clip"}


class Stored(msgspec.Struct):
    """The answer: the id that an observation names in ``snapshot`` or ``clip``."""

    id: str
    bytes: int


class Media:
    """Streams the body to a file, then stores it; time and id stand in the query (``t``, ``until``, ``id``), from a
    gateway also the code of the device that it speaks for (``device``)."""

    def __init__(self, ingest: Ingest, refusals: Counter, folder: Path) -> None:
        self._ingest = ingest
        self._refusals = refusals
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise Problem("Use POST", "Send the picture or clip as the body of a POST.", status=405, kind="method")
        device = self._ingest.sender(scope)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="upload-")
        path = Path(name)
        try:
            draft = _draft(scope, device, self._ingest)
            size = await _save(handle, receive)
            stored = await sync_to_async(_store, thread_sensitive=False)(device, draft, path)
        except Problem as problem:
            self._refusals.add(device.code, f"media-{problem.kind}", str(problem))
            raise
        except Error as error:
            log.warning("media not stored", reason=str(error).strip()[:200])
            raise unavailable() from error
        finally:
            path.unlink(missing_ok=True)
        await messages.answer(send, 201, msgspec.json.encode(Stored(stored, size)))


def _draft(scope: Scope, sender: DeviceEntry, ingest: Ingest) -> StoreMedia:
    shown = (messages.header(scope, b"content-type") or b"").decode("latin-1").partition(";")[0].strip().lower()
    if shown not in TYPES:
        raise Invalid.one("Content-Type", f"{shown or 'nothing'} was sent; send one of {', '.join(TYPES)}.")
    query = {name: values[0] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
    if "t" not in query:
        raise Invalid.one("t", "Say in the query when it was taken, such as ?t=2026-11-23T18:42:07%2B08:00.")
    device = ingest.represented(query["device"], sender) if "device" in query else sender
    until = _time("until", query["until"]) if "until" in query else None
    given = _uuid(query["id"]) if "id" in query else None
    return StoreMedia(TYPES[shown], shown, _time("t", query["t"]), until, device.id, None, given)


def _time(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise Invalid.one(
            name, f"{text[:40]!r} is not an RFC 3339 time with its offset; send one, with + written as %2B."
        )
    return moment


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.one("id", f"{text[:40]!r} is not a UUID; send one, or leave it out.") from None


async def _save(handle: int, receive: Receive) -> int:
    """Write the body; its size. An empty one, or more than 64 MiB, is refused."""
    size = 0
    with os.fdopen(handle, "wb") as file:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            piece = message.get("body", b"")
            more = bool(message.get("more_body"))
            size += len(piece)
            if size > MAX_BYTES:
                raise Problem("The body is too large", f"Send at most {MAX_BYTES} bytes.", status=413, kind="too-large")
            file.write(piece)
    if not size:
        raise Invalid(FieldError("body", "The body is empty: send the picture or clip itself."))
    return size


def _store(device: DeviceEntry, draft: StoreMedia, path: Path) -> str:
    close_old_connections()
    try:
        return str(services.store(Actor("device", str(device.id), device.code), draft, path).pk)
    finally:
        close_old_connections()
