"""Observations of the product's own processes: a request on the subject ``intake.observations``."""

from __future__ import annotations

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shoufu.gateways.http import observations as form
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.observations.intake import Row, admit
from shoufu.kernel.observations.wire import Fault, parse
from shoufu.kernel.observations.writer import Unavailable
from shoufu.runtime.edge.group import Group
from shoufu.runtime.edge.ingest import unavailable
from shoufu.runtime.edge.keeper import Keeper

log = structlog.get_logger("edge")

SUBJECT = "intake.observations"
QUEUE = "edge"


class Internal:
    """Answers with the same JSON as HTTP, after the commit. The items name their device; the whole is trusted.

    Only the product's own account can publish here: devices may use their four topics and nothing else.
    """

    def __init__(self, keeper: Keeper, group: Group) -> None:
        self._keeper = keeper
        self._group = group

    async def listen(self, client: Client) -> None:
        """Start to answer."""
        await client.subscribe(SUBJECT, queue=QUEUE, cb=self._answer)

    async def _answer(self, message: Msg) -> None:
        try:
            answer = await self._take(message.data)
        except Problem as problem:
            answer = msgspec.json.encode(problem.as_dict())
        if message.reply:
            await message.respond(answer)

    async def _take(self, content: bytes) -> bytes:
        directory = self._keeper.directory
        items, many = parse(content)
        admitted: list[Row | Fault] = []
        for item in items:
            if isinstance(item, Fault):
                admitted.append(item)
                continue
            sender = directory.devices.get(item.device or "")
            if sender is None:
                raise Problem("Unknown device", "Name the device of each observation.", status=422, kind="device")
            admitted += admit([item], sender, directory)
        good = [row for row in admitted if type(row) is Row]
        try:
            outcomes = await self._group.submit_later(good) if good else []
        except Unavailable:
            raise unavailable() from None
        return form.answer(form.results(admitted, outcomes), many)[1]
