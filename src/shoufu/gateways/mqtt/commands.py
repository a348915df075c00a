import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import nats.errors
import structlog
from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections
from django.db.models import Q
from django.utils import timezone
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from shoufu.gateways.mqtt import streams
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.devices import commands, selectors
from shoufu.kernel.devices.models import Command

log = structlog.get_logger("mqtt")

ACK_TOPIC = "ack"
DURABLE = "shoufu-acknowledgements"
WAKE = "devices.command"
"""Subject that whoever queues a command may publish on; without it the command goes out within a second."""
POLL_SECONDS = 1.0
RESEND_SECONDS = 5.0


class Order(msgspec.Struct, rename="camel"):
    """A command as the device gets it on `cmd/<code>`; it must not be carried out after `expires_at`."""

    id: UUID
    name: str
    parameters: dict[str, Any]
    asked_at: str
    expires_at: str


class Reply(msgspec.Struct):
    """What a device publishes on `ack/<code>`: whether it did it, and whatever it has to say."""

    id: UUID
    ok: bool
    answer: dict[str, Any] = {}


class Commands:
    """Sends queued commands to their devices, again every five seconds until answered or expired, and takes answers.

    A device may get the same command twice; its id tells.
    """

    def __init__(self) -> None:
        self._wake = asyncio.Event()

    async def prepare(self, client: Client) -> JetStreamContext.PullSubscription:
        """Make the durable consumer of answers and listen for new commands."""

        async def woken(_: Msg) -> None:
            self._wake.set()

        await client.subscribe(WAKE, cb=woken)
        return await streams.ensure(client.jetstream(), DURABLE, ACK_TOPIC)

    async def send(self, client: Client) -> None:
        """Until cancelled: hand out commands."""
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._send_due(client)
            except Error as error:
                log.warning("commands not read", reason=str(error).strip()[:200])

    async def _send_due(self, client: Client) -> None:
        due = await _in_thread(_due)
        for code, order in due:
            await client.publish(f"cmd.{code}", msgspec.json.encode(order))
        if due:
            await _in_thread(_sent, [order.id for _, order in due])

    async def take_answers(self, client: Client, subscription: JetStreamContext.PullSubscription) -> None:
        """Until cancelled: take answers, each acknowledged after its commit."""
        while True:
            try:
                messages = await subscription.fetch(50, timeout=5)
            except (TimeoutError, nats.errors.TimeoutError):
                continue
            for message in messages:
                await self._take(client, message)

    async def _take(self, client: Client, message: Msg) -> None:
        code = streams.device_of(message.subject)
        try:
            reply = msgspec.json.decode(message.data, type=Reply)
            await _in_thread(_answered, code, reply)
        except msgspec.DecodeError as error:
            await _tell(client, code, Problem("The answer cannot be read", f"{error}.", status=422, kind="invalid"))
        except Problem as problem:
            await _tell(client, code, problem)
        except Error as error:
            log.warning("answer not stored yet", reason=str(error).strip()[:200])
            return await message.nak(delay=1)
        return await message.ack()


async def _tell(client: Client, code: str, problem: Problem) -> None:
    await client.publish(f"err.{code}", msgspec.json.encode(problem.as_dict()))


async def _in_thread(function: Any, *arguments: Any) -> Any:
    def run() -> Any:
        close_old_connections()
        try:
            return function(*arguments)
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=False)()


def _due() -> list[tuple[str, Order]]:
    now = timezone.now()
    again = Q(state=Command.State.SENT, sent_at__lt=now - timedelta(seconds=RESEND_SECONDS))
    rows = Command.objects.filter(Q(state=Command.State.QUEUED) | again, expires_at__gt=now, device__protocol="mqtt")
    return [(row.device.code, _order(row)) for row in rows.select_related("device").order_by("id")[:200]]


def _order(row: Command) -> Order:
    return Order(row.pk, row.name, row.parameters, row.asked_at.isoformat(), row.expires_at.isoformat())


def _sent(ids: Sequence[UUID]) -> None:
    commands.sent(ids)


def _answered(code: str, reply: Reply) -> None:
    device = selectors.by_code(SYSTEM, code)
    actor = Actor("device", str(device.pk), device.code)
    commands.acknowledge(actor, device.pk, reply.id, done=reply.ok, answer=reply.answer)
