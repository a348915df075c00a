from __future__ import annotations

import io
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.test import Client

from shoufu.kernel.access.models import User
from shoufu.runtime.drill.neighbours import district as districts
from shoufu.runtime.drill.neighbours import endpoints as catalogue
from shoufu.runtime.drill.neighbours import rows, watch
from shoufu.runtime.drill.neighbours.endpoints import Endpoint
from shoufu.runtime.drill.neighbours.parallel import spread
from shoufu.runtime.drill.neighbours.tries import Tries, Try
from shoufu.runtime.drill.neighbours.watch import Signs

ANONYMOUS = "anonymous"
REFUSED = (302, 401, 403)
"""Sent to sign in, or without the right."""


@dataclass(frozen=True)
class Leak:
    """Something of the neighbour that showed or changed: to whom, where, and what."""

    role: str
    endpoint: str
    what: str


@dataclass
class Figures:
    """What was tried. `blind`: endpoints without a row, models that nobody seeds; `failed`: the server broke (500).

    `seen` counts the endpoints that show the neighbour's own people something of theirs: the drill can see."""

    endpoints: int = 0
    roles: int = 0
    tried: int = 0
    seen: int = 0
    leaks: list[Leak] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    topics: int = 0

    def add(self, part: Figures) -> None:
        """Count what a part of the drill found."""
        self.tried += part.tried
        self.seen += part.seen
        self.leaks += part.leaks
        self.failed += part.failed

    @property
    def counts(self) -> dict[str, int]:
        """Everything as numbers."""
        return {
            "endpoints": self.endpoints,
            "roles": self.roles,
            "tried": self.tried,
            "seen_by_own": self.seen,
            "topics": self.topics,
            "not_tried": len(self.blind),
            "broke": len(self.failed),
            "leaks": len(self.leaks),
        }


@dataclass
class _Drill:
    district: districts.District
    signs: Signs
    tries: Tries
    figures: Figures
    say: Callable[[str], None]

    def everyone(self, found: Sequence[Endpoint], roles: Sequence[str], workers: int) -> None:
        planned = {endpoint: self.tries.of(endpoint) for endpoint in found}
        self.figures.endpoints, self.figures.roles = len(planned), len(roles)
        self.figures.blind += sorted(endpoint.name for endpoint, tries in planned.items() if not tries)
        parts = [partial(self._as, role, planned) for role in roles]
        for part in spread([*parts, partial(self._control, planned)], workers):
            self.figures.add(part)

    def _as(self, role: str, planned: Mapping[Endpoint, Sequence[Try]]) -> Figures:
        """Everything as one role; a part of the drill, on its own."""
        figures = Figures()
        client = _client(self.district.people.get(role))
        for endpoint, tries in planned.items():
            shut = any(one.variant for one in tries) and self._shut(client, endpoint)
            for one in tries:
                if not (one.variant and shut):
                    self._try(figures, client, role, endpoint, one)
        self.say(f"{role}: {figures.tried:,} tried, {len(figures.leaks)} leaks, {len(figures.failed)} broke")
        return figures

    def _shut(self, client: Client, endpoint: Endpoint) -> bool:
        """Whether a role lacks the right to an address even at home: then further questions to it say nothing new."""
        home = self.tries.at_home(endpoint)
        if home is None:
            return False
        status, _text, _changed = _send(client, home, self.signs)
        return status in REFUSED

    def _try(self, figures: Figures, client: Client, role: str, endpoint: Endpoint, one: Try) -> None:
        figures.tried += 1
        status, text, changed = _send(client, one, self.signs)
        if status >= 500:  # once more: another part of the drill may have held what it needed
            status, text, changed = _send(client, one, self.signs)
        if status >= 500:
            self._once(figures.failed, f"{role} {endpoint.name}: {status} {one.sent[:200]}")
        shown = self.signs.within(text, one.sent) if 200 <= status < 300 else []
        if shown:
            figures.leaks.append(Leak(role, endpoint.name, f"shows {', '.join(shown[:3])} for {one.sent[:200]}"))
        figures.leaks += [Leak(role, endpoint.name, f"{what} for {one.sent[:200]}") for what in changed]

    def _once(self, lines: list[str], line: str) -> None:
        if line.partition(" ")[2].partition(":")[0] not in {
            known.partition(" ")[2].partition(":")[0] for known in lines
        }:
            lines.append(line)

    def _control(self, planned: Mapping[Endpoint, Sequence[Try]]) -> Figures:
        """The neighbour's own people see their own: otherwise a drill without leaks would prove nothing."""
        figures = Figures()
        clients = [_client(self.district.neighbours[role]) for role in ("administrator", "operator", "resident")]
        for endpoint, tries in planned.items():
            if endpoint.method == "GET" and any(self._sees(client, tries) for client in clients):
                figures.seen += 1
        return figures

    def _sees(self, client: Client, tries: Sequence[Try]) -> bool:
        for one in tries[:3]:
            status, text, _changed = _send(client, one, self.signs)
            if 200 <= status < 300 and self.signs.within(text, one.sent):
                return True
        return False


def run(
    roles: Sequence[str] = (),
    endpoints: Sequence[Endpoint] | None = None,
    say: Callable[[str], None] = lambda line: None,
    workers: int = 1,
) -> Figures:
    """Build the district in this (throw-away) database and try. `roles`: some only; `endpoints`: these only.

    `say` hears a line a role; `workers`: processes that share the roles.
    """
    settings.ALLOWED_HOSTS = ["*"]
    district = districts.build()
    signs = Signs.of(district.theirs)
    watch.install(signs)
    drill = _Drill(district, signs, Tries(district.own, district.theirs, rows.declared()), Figures(), say)
    drill.figures.blind += sorted({*district.own.unseeded, *district.theirs.unseeded})
    found = catalogue.everything() if endpoints is None else endpoints
    logging.disable(logging.CRITICAL)  # thousands of refusals are what is wanted here
    try:
        drill.everyone(found, list(roles) or [*district.people, ANONYMOUS], workers)
    finally:
        logging.disable(logging.NOTSET)
    return drill.figures


def _client(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


class _Undo(Exception):
    """Takes back what a request did."""


def _send(client: Client, one: Try, signs: Signs) -> tuple[int, str, list[str]]:
    """Status, text and what it changed of the neighbour's; whatever it did is taken back."""
    status, text, changed = 0, "", list[str]()
    cookies = SimpleCookie(client.cookies)
    try:
        with transaction.atomic():
            response = _request(client, one)
            status, text = response.status_code, _text(response)
            with suppress(DatabaseError):  # where the request broke its transaction, nothing of it stays
                changed = watch.seen(signs, one.sent)
            raise _Undo
    except _Undo:
        pass
    client.cookies = cookies
    return status, text, changed


def _request(client: Client, one: Try) -> Any:
    if one.body is not None:
        return client.generic(one.method, one.address, _json(one.body), content_type="application/json")
    if one.method == "GET":
        return client.get(one.address)
    return client.generic(one.method, one.address) if one.method != "POST" else client.post(one.address, one.form or {})


def _json(body: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(body)


def _text(response: Any) -> str:
    """The body as text; what is packed in a ZIP (also a workbook) or in the streams of a PDF is unpacked."""
    content = b"".join(response) if response.streaming else response.content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(
                [archive.read(name) for name in archive.namelist()] + [str(archive.namelist()).encode()]
            )
    elif content.startswith(b"%PDF"):
        content += b"\n".join(_streams(content))
    return content.decode("utf-8", errors="replace")


def _streams(content: bytes) -> Iterable[bytes]:
    for piece in content.split(b"stream\r\n" if b"stream\r\n" in content else b"stream\n")[1:]:
        try:
            yield zlib.decompressobj().decompress(piece)
        except zlib.error:
            continue
