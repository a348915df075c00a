"""``POST /v1/observations``: from a body to an answer, after the commit."""

from __future__ import annotations

from shoufu.gateways.http import observations as form
from shoufu.kernel.base.errors import Invalid, Problem
from shoufu.kernel.observations.directory import DeviceEntry, Directory
from shoufu.kernel.observations.intake import Row, admit, represented
from shoufu.kernel.observations.limits import MAX_BODY
from shoufu.kernel.observations.wire import Fault, parse, too_large
from shoufu.kernel.observations.writer import STORED, Outcome, Unavailable
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.group import Full, Group
from shoufu.runtime.edge.keeper import Keeper
from shoufu.runtime.edge.messages import Receive, Scope, Send
from shoufu.runtime.edge.refusals import UNKNOWN, Counter


def busy() -> Problem:
    """More is waiting than is good (429)."""
    return Problem(
        "Too much at once", "Send the same again in a second.", status=429, kind="busy", extra={"retry_after": 1}
    )


def unavailable() -> Problem:
    """The database does not answer (503); nothing is acknowledged, so sending again is right."""
    return Problem(
        "The database does not answer",
        "Nothing of this request is acknowledged. Send the same again.",
        status=503,
        kind="unavailable",
        extra={"retry_after": 2},
    )


class Ingest:
    """Takes observations of devices over HTTP."""

    def __init__(self, keeper: Keeper, group: Group, refusals: Counter) -> None:
        self._keeper = keeper
        self._group = group
        self._refusals = refusals

    @property
    def directory(self) -> Directory:
        """The devices and kinds as they are now."""
        return self._keeper.directory

    def sender(self, scope: Scope) -> DeviceEntry:
        """The device whose secret the request shows; 401 otherwise, 503 before the directory is there."""
        if not self._keeper.loaded.is_set():
            raise unavailable()
        device = self._keeper.directory.by_secret(form.bearer(messages.header(scope, b"authorization")))
        if device is None:
            self._refusals.add(UNKNOWN, "credential", "unknown or revoked device secret")
            raise form.unauthorised("No active device has this secret: check it, or have a new one made.")
        return device

    def represented(self, code: str, sender: DeviceEntry) -> DeviceEntry:
        """The device that `sender` speaks for by its code; Problem 422 where it may not."""
        found = represented(code, sender, self._keeper.directory)
        if isinstance(found, Fault):
            raise Invalid.one("device", found.message)
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise Problem("Use POST", "Send observations with POST.", status=405, kind="method")
        device = self.sender(scope)
        try:
            content = await messages.body(receive, MAX_BODY, too_large)
            items, many = parse(content)
        except Problem as refused:
            self._refusals.add(device.code, refused.kind, str(refused))
            raise
        rows = admit(items, device, self._keeper.directory)
        good = [row for row in rows if type(row) is Row]
        outcomes = await self._stored(good) if good else []
        results = form.results(rows, outcomes)
        if outcomes.count(STORED) < len(rows):
            self._count_refused(device, results)
        status, answer = form.answer(results, many)
        await messages.answer(send, status, answer)

    def _count_refused(self, device: DeviceEntry, results: list[form.ItemResult]) -> None:
        for one in results:
            if one.status == "refused":
                self._refusals.add(device.code, one.reason or "invalid", f"{one.field}: {one.message}")

    async def _stored(self, rows: list[Row]) -> list[Outcome]:
        try:
            return await self._group.submit(rows)
        except Full:
            raise busy() from None
        except Unavailable:
            raise unavailable() from None
