"""ASGI in small: reading bodies, writing answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from shoufu.kernel.base.errors import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")


class Disconnected(Exception):
    """The client went away before its request was whole."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of this (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def body(receive: Receive, limit: int, refuse: Callable[[int], Problem]) -> bytes:
    """The whole body; the problem of ``refuse(size)`` as soon as it passes ``limit`` bytes."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    first: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(first) > limit:
            raise refuse(len(first))
        return first
    parts, size = [first], len(first)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            raise refuse(size)
    return b"".join(parts)


async def answer(send: Send, status: int, content: bytes, headers: Iterable[tuple[bytes, bytes]] = (JSON,)) -> None:
    """A whole answer."""
    length = (b"content-length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": content})


async def problem(send: Send, what: Problem) -> None:
    """RFC 9457 problem+json; ``Retry-After`` from ``extra["retry_after"]``."""
    headers: Headers = [PROBLEM]
    retry = what.extra.get("retry_after")
    if retry is not None:
        headers.append((b"retry-after", b"%d" % retry))
    if what.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if what.status == 413:
        headers.append((b"connection", b"close"))
    await answer(send, what.status, msgspec.json.encode(what.as_dict()), headers)
