"""Devices on MQTT: signing them in, taking what they publish, handing them their commands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shoufu.gateways.mqtt import violations
from shoufu.gateways.mqtt.auth import SUBJECT, AuthError, Issuer, Request, read_request, refusal
from shoufu.gateways.mqtt.commands import Commands
from shoufu.gateways.mqtt.observations import Observations
from shoufu.kernel.base.errors import Problem
from shoufu.runtime.edge.keeper import Keeper
from shoufu.runtime.edge.refusals import UNKNOWN, Counter

log = structlog.get_logger("mqtt")

GROUP = "edge"
LOST = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class Broker:
    """Everything between the NATS server's MQTT listener and the edge."""

    def __init__(
        self,
        issuer: Issuer | None,
        keeper: Keeper,
        observations: Observations,
        refusals: Counter,
        log_file: Path | None,
    ) -> None:
        self._issuer = issuer
        self._keeper = keeper
        self._observations = observations
        self._commands = Commands()
        self._refusals = refusals
        self._log_file = log_file
        self.signing = False
        """Whether devices can sign in now."""

    async def run(self, client: Client) -> None:
        """Until cancelled. Consumers come first: no device is let in before what it sends would be kept."""
        while True:
            try:
                await self._serve(client)
            except* LOST as group:
                log.warning("MQTT stream lost, taking it up again", reason=str(group.exceptions[0]))
                await asyncio.sleep(0.5)

    async def _serve(self, client: Client) -> None:
        taking = await self._observations.prepare(client)
        answers = await self._commands.prepare(client)
        await self._keeper.loaded.wait()
        signing = await client.subscribe(SUBJECT, queue=GROUP, cb=self._sign_in)
        self.signing = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._observations.run(client, taking))
                tasks.create_task(self._commands.send(client))
                tasks.create_task(self._commands.take_answers(client, answers))
                if self._log_file is not None:
                    tasks.create_task(self._watch_log(client, self._log_file))
        finally:
            self.signing = False
            if client.is_connected:
                await signing.unsubscribe()

    async def _sign_in(self, message: Msg) -> None:
        if self._issuer is None:
            return
        try:
            request = read_request(message.data)
        except AuthError as error:
            log.warning("sign-in not readable", reason=str(error))
            return
        reason = refusal(request) or self._check(request)
        if reason:
            known = request.user in self._keeper.directory.devices
            self._refusals.add(request.user if known else UNKNOWN, "credential", f"MQTT: {reason}")
            await message.respond(self._issuer.refuse(request, reason))
            return
        await message.respond(self._issuer.allow(request, request.user))

    def _check(self, request: Request) -> str:
        device = self._keeper.directory.by_secret(request.password)
        return "" if device is not None and device.code == request.user else "unknown device or wrong secret"

    async def _watch_log(self, client: Client, path: Path) -> None:
        """Tell devices about publishes that the broker dropped, from its log."""
        async for line in follow(path):
            found = violations.read(line)
            if found is None:
                continue
            self._refusals.add(found.device, "topic", found.message)
            problem = Problem("Not your topic", found.message, status=403, kind="topic")
            await client.publish(f"err.{found.device}", msgspec.json.encode(problem.as_dict()))


async def follow(path: Path, every: float = 0.25) -> AsyncIterator[bytes]:
    """Lines that are added to a file from now on, through its rotation."""
    file = None
    try:
        while True:
            if file is None and path.exists():
                file = path.open("rb")
                file.seek(0, os.SEEK_END)
            line = file.readline() if file else b""
            if line:
                yield line
                continue
            if file and (not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino):
                file.close()
                file = path.open("rb") if path.exists() else None
                continue
            await asyncio.sleep(every)
    finally:
        if file:
            file.close()
