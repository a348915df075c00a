"""Everything that the edge does not answer itself goes to the page server, streaming both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import quote

import structlog

from shoufu.runtime.edge import messages
from shoufu.runtime.edge.messages import Headers, Receive, Scope, Send
from shoufu.runtime.edge.proxy.upstream import Connection, Head, Pool, UpstreamError, read_body, read_head

log = structlog.get_logger("edge")

HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
     b"trailer", b"transfer-encoding", b"upgrade", b"expect"}
)  # fmt: skip
OURS = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE = """<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3"><title>502</title>
<body style="font:16px/1.6 system-ui;margin:15vh auto;max-width:32rem;padding:0 1rem">
<h1>页面服务正在启动</h1><p>接收设备数据的部分照常工作。本页三秒后自动重试。</p>
<h1 lang="en">The page server is starting</h1>
<p lang="en">Devices' data is still taken in. This page tries again in three seconds.</p>
""".encode()


class Proxy:
    """A reverse proxy to one loopback port. ``trusted``: whether X-Forwarded-* of the caller is to be believed."""

    def __init__(self, port: int, host: str = "127.0.0.1", trusted: bool = False) -> None:
        self._pool = Pool(host, port)
        self._trusted = trusted

    def close(self) -> None:
        """Close idle connections."""
        self._pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        # A kept connection may be closing just now. What only reads is asked again then; what changes something must
        # not be sent twice, so it gets a connection of its own.
        fresh = scope["method"] not in SAFE
        while True:
            connection: Connection | None = None
            try:
                connection = await self._pool.take(fresh)
                reused = connection.used > 0
                head = await self._ask(connection, scope, receive)
                started = True
                await self._answer(connection, head, send)
                return
            except (UpstreamError, OSError, TimeoutError) as error:
                if connection is not None:
                    connection.close()
                if started:
                    raise  # the head is out: only breaking off tells the client that the rest is missing
                if connection is not None and reused and not fresh:
                    fresh = True
                    continue
                log.warning("page server does not answer", reason=str(error) or type(error).__name__)
                return await messages.answer(
                    send, 502, PAGE, [(b"content-type", b"text/html; charset=utf-8"), (b"retry-after", b"3")]
                )
            except BaseException:
                if connection is not None:
                    connection.close()
                raise

    async def _ask(self, connection: Connection, scope: Scope, receive: Receive) -> Head:
        writer = connection.writer
        length = messages.header(scope, b"content-length")
        chunked = messages.header(scope, b"transfer-encoding") is not None
        writer.write(self._request(scope, chunked))
        sending = asyncio.create_task(_send_body(writer, receive, chunked)) if chunked or length else None
        try:
            return await read_head(connection.reader, scope["method"])
        finally:
            if sending is not None:
                if not sending.done():
                    # It answered before the body was through (413, say): this connection cannot be used again.
                    sending.cancel()
                    connection.used = -1
                await asyncio.gather(sending, return_exceptions=True)

    async def _answer(self, connection: Connection, head: Head, send: Send) -> None:
        headers = [(name, value) for name, value in head.headers if name not in HOP_BY_HOP]
        await send({"type": "http.response.start", "status": head.status, "headers": headers})
        async for piece in read_body(connection.reader, head):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        if head.keep and connection.used >= 0:
            self._pool.give(connection)
        else:
            connection.close()

    def _request(self, scope: Scope, chunked: bool) -> bytes:
        path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        query: bytes = scope.get("query_string", b"")
        target = path + b"?" + query if query else path
        lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target)]
        lines += [name + b": " + value for name, value in self._headers(scope)]
        if chunked:
            lines.append(b"transfer-encoding: chunked")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _headers(self, scope: Scope) -> Iterator[tuple[bytes, bytes]]:
        dropped = HOP_BY_HOP if self._trusted else HOP_BY_HOP | OURS
        given: Headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
        yield from given
        names = {name for name, _ in given}
        client = scope.get("client")
        if client and b"x-forwarded-for" not in names:
            yield b"x-forwarded-for", str(client[0]).encode()
        if b"x-forwarded-proto" not in names:
            yield b"x-forwarded-proto", str(scope.get("scheme", "http")).encode()
        if b"x-forwarded-host" not in names:
            yield b"x-forwarded-host", messages.header(scope, b"host") or b""


async def _send_body(writer: asyncio.StreamWriter, receive: Receive, chunked: bool) -> None:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            writer.close()
            return
        piece: bytes = message.get("body", b"")
        more = bool(message.get("more_body"))
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
