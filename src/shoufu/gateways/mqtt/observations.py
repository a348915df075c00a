import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from shoufu.gateways.mqtt import streams
from shoufu.kernel.base.errors import FieldError, Problem
from shoufu.kernel.observations.directory import Directory
from shoufu.kernel.observations.intake import Row, admit
from shoufu.kernel.observations.wire import Fault, field_errors, parse
from shoufu.kernel.observations.writer import Outcome, Unavailable

log = structlog.get_logger("mqtt")

TOPIC = "obs"
DURABLE = "shoufu-observations"
FETCH = 500
IN_WORK = 2_000
RETRY_SECONDS = 1.0

Store = Callable[[list[Row]], Awaitable[list[Outcome]]]
"""Stores rows and returns their outcomes after the commit, waiting for room; Unavailable without a database."""
Refuse = Callable[[str, str, str], None]
"""Counts a refusal: device code, reason, sample."""


class Observations:
    """Takes what devices publish on `obs/<code>` and acknowledges to the broker after the commit.

    What is refused goes back to the device on `err/<code>` as problem+json.
    """

    def __init__(self, directory: Callable[[], Directory], store: Store, refuse: Refuse) -> None:
        self._directory = directory
        self._store = store
        self._refuse = refuse
        self._slots = asyncio.Semaphore(IN_WORK)
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self, client: Client) -> JetStreamContext.PullSubscription:
        """Make the durable consumer."""
        return await streams.ensure(client.jetstream(), DURABLE, TOPIC)

    async def run(self, client: Client, subscription: JetStreamContext.PullSubscription) -> None:
        """Until cancelled or until the consumer is gone (then prepare again)."""
        while True:
            try:
                messages = await subscription.fetch(FETCH, timeout=5)
            except (TimeoutError, nats.errors.TimeoutError):
                continue
            for message in messages:
                await self._slots.acquire()
                task = asyncio.create_task(self._take(client, message))
                self._tasks.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception():
            log.error("message not taken; the broker sends it again", reason=str(task.exception()))

    async def _take(self, client: Client, message: Msg) -> None:
        code = streams.device_of(message.subject)
        try:
            rows, many = self._read(code, message.data)
        except Problem as problem:
            await self._tell(client, code, problem)
            return await message.ack()
        good = [row for row in rows if type(row) is Row]
        try:
            outcomes = await self._store(good) if good else []
        except Unavailable:
            return await message.nak(delay=RETRY_SECONDS)
        await message.ack()
        faults = _faults(rows, outcomes)
        if faults:
            await self._tell(client, code, _problem(faults, many), faults)
        return None

    def _read(self, code: str, content: bytes) -> tuple[list[Any], bool]:
        directory = self._directory()
        device = directory.devices.get(code)
        if device is None:
            raise Problem("Unknown device", f"There is no active device {code[:64]!r}.", status=403, kind="device")
        items, many = parse(content)
        return admit(items, device, directory), many

    async def _tell(
        self, client: Client, code: str, problem: Problem, faults: "list[tuple[int, Fault]] | None" = None
    ) -> None:
        if faults:
            for _, fault in faults:
                self._refuse(code, fault.reason, f"{fault.field}: {fault.message}")
        else:
            self._refuse(code, problem.kind, str(problem))
        await client.publish(f"err.{code}", msgspec.json.encode(problem.as_dict()))


def _faults(rows: list[Any], outcomes: list[Outcome]) -> list[tuple[int, Fault]]:
    told = iter(outcomes)
    ends = [next(told) if type(row) is Row else row for row in rows]
    return [(index, end) for index, end in enumerate(ends) if isinstance(end, Fault)]


def _problem(faults: list[tuple[int, Fault]], many: bool) -> Problem:
    errors: tuple[FieldError, ...] = field_errors(faults, many)
    return Problem("Some observations were refused", status=422, kind="invalid", errors=errors)
