"""From devices to doors and back: which reader stands where, which output is which lock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import structlog

from shoufu.engines.doors import Alarm, Change, Decision, Input, Technology, wiegand, words

from . import lines
from .config import Config, DoorConfig, ReaderConfig, hex_bytes
from .core import Core
from .lines import TextLine
from .osdp.panel import Device, Inputs, Keys, Line, Link, Local, Raw

log = structlog.get_logger("door")

RED, GREEN, AMBER = 1, 2, 3
SHOWN = 2.0
KEY_PAUSE = 8.0
PIN_LENGTH = 8
TICK = 0.2


class Wiring:
    """All devices of a controller."""

    def __init__(self, config: Config, core: Core) -> None:
        self._config = config
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._devices: dict[str, Device] = {}
        self._readers: dict[tuple[str, int], ReaderConfig] = {}
        self._doors = {door.number: door for door in config.door}
        self._keys: dict[int, tuple[str, float]] = {}
        self._inputs: dict[str, tuple[bool, ...]] = {}
        self._stands_open: dict[int, bool] = {}
        core.act = self._act
        for reader in config.reader:
            if reader.device:
                self._readers[reader.device, reader.index] = reader

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What must run: one a line, and the tick."""
        found: list[Coroutine[Any, Any, None]] = [self._ticks()]
        for line in self._config.line:
            if line.protocol == "text":
                found += [
                    self._text(reader, line.address) for reader in self._config.reader if reader.line == line.name
                ]
                continue
            devices = [self._device(one.name) for one in self._config.device if one.line == line.name]
            made = partial(Line, devices, line.poll_ms / 1000, self._loop)
            found.append(lines.keep(line.address, made))
        return found

    def _device(self, name: str) -> Device:
        told = next(one for one in self._config.device if one.name == name)
        watched = any(
            part is not None and part.device == name
            for door in self._config.door
            for part in (door.contact, door.bolt, door.exit, door.fire, door.tamper, door.count)
        )
        key = hex_bytes("key", told.key, 16)
        device = Device(told.address, key, lambda _, event: self._event(name, event), watched)
        self._devices[name] = device
        return device

    async def _ticks(self) -> None:
        ruled = self._core.store.rules is not None
        while True:
            await asyncio.sleep(TICK)
            if not ruled and self._core.store.rules is not None:
                ruled = True
                self._tell_inputs()
            self._core.tick()

    def _tell_inputs(self) -> None:
        """With the first rule set the inputs get a meaning: what they have said before is told again."""
        told, self._inputs = self._inputs, {}
        for name, states in told.items():
            self._changed(name, states)

    def _event(self, name: str, event: Raw | Keys | Inputs | Local | Link) -> None:
        if isinstance(event, Raw):
            self._card(name, event)
        elif isinstance(event, Keys):
            self._pressed(name, event)
        elif isinstance(event, Inputs):
            self._changed(name, event.states)
        elif isinstance(event, Link):
            self._link(name, event)
        elif event.tamper:
            self._core.alarm(Alarm.TAMPER, self._door_of(name), name)

    def _door_of(self, name: str) -> int:
        rules = self._core.store.rules
        for (device, _), reader in self._readers.items():
            if device == name and rules and reader.number in rules.readers:
                return rules.readers[reader.number].door
        return -1

    def _link(self, name: str, event: Link) -> None:
        if event.online:
            self._core.alarm(Alarm.READER_ONLINE, self._door_of(name), name)
            for number in self._doors:
                self._stands_open.pop(number, None)
                self._hold(number)
            return
        alarm = Alarm.READER_INSECURE if event.reason == "insecure" else Alarm.READER_OFFLINE
        self._core.alarm(alarm, self._door_of(name), name)
        self._lost_inputs(name)

    def _lost_inputs(self, name: str) -> None:
        """Sensors that nobody can ask count as broken, not as what they said last."""
        self._inputs.pop(name, None)
        for door in self._config.door:
            for part, what in ((door.contact, Input.CONTACT), (door.bolt, Input.BOLT)):
                if part is not None and part.device == name:
                    self._core.input(door.number, what, "fault")

    def _card(self, name: str, event: Raw) -> None:
        reader = self._readers.get((name, event.reader))
        if reader is None:
            return
        device = self._devices[name]
        identifier = wiegand(event.bits, event.data)
        if identifier is None:
            device.led(AMBER, SHOWN, event.reader)
            return
        self._core.show(reader.number, Technology.CARD, identifier, lambda d: self._answer(device, event.reader, d))

    def _pressed(self, name: str, event: Keys) -> None:
        reader = self._readers.get((name, event.reader))
        if reader is None:
            return
        device = self._devices[name]
        now = self._loop.time()
        digits, since = self._keys.get(reader.number, ("", now))
        if now - since > KEY_PAUSE:
            digits = ""
        for key in event.text:
            if key == "*":
                digits = ""
            elif key.isdigit():
                digits += key
            if digits and (len(digits) == PIN_LENGTH or key == "#"):
                self._core.show(
                    reader.number, Technology.PIN, digits.encode(), lambda d: self._answer(device, event.reader, d)
                )
                digits = ""
        self._keys[reader.number] = (digits, now)

    def _answer(self, device: Device, index: int, decision: Decision) -> None:
        """The lock first, then the light; the words where there is a display."""
        if decision.granted:
            self._pulse(decision.door, decision.pulse)
            device.led(GREEN, SHOWN, index)
            return
        device.led(RED, SHOWN, index)
        device.text(words(decision.reason, "en"), SHOWN, index)

    def _pulse(self, door: int, seconds: float) -> None:
        told = self._doors.get(door)
        if told is not None and told.lock is not None and seconds > 0:
            self._devices[told.lock.device].output(told.lock.output, seconds)

    def _act(self, change: Change) -> None:
        if change.pulse > 0:
            self._pulse(change.door, change.pulse)
        if change.sound is not None:
            for (name, index), reader in self._readers.items():
                rules = self._core.store.rules
                if rules and reader.number in rules.readers and rules.readers[reader.number].door == change.door:
                    self._devices[name].buzzer(change.sound, index)
        if change.facts:
            self._hold(change.door)

    def _hold(self, door: int) -> None:
        """Keep the lock's output on while the door stands open by mode, and end it with the mode.

        A fire release needs no help from here: its wire cuts the lock's power whatever the software thinks.
        """
        told = self._doors.get(door)
        rules = self._core.store.rules
        if told is None or told.lock is None or rules is None or door not in rules.doors:
            return
        stands = self._core.facts(door, self._core.clock.now())[0] == "unlocked"
        if self._stands_open.get(door) == stands or not self._devices[told.lock.device].online:
            return
        self._stands_open[door] = stands
        self._devices[told.lock.device].output(told.lock.output, None if stands else 0)

    def _changed(self, name: str, states: tuple[bool, ...]) -> None:
        before = self._inputs.get(name, ())
        self._inputs[name] = states
        for door in self._config.door:
            self._door_inputs(door, name, before, states)

    def _door_inputs(self, door: DoorConfig, name: str, before: tuple[bool, ...], states: tuple[bool, ...]) -> None:
        meanings = (
            (door.contact, Input.CONTACT, "open", "closed"),
            (door.bolt, Input.BOLT, "unlocked", "locked"),
            (door.exit, Input.EXIT, "1", "0"),
            (door.fire, Input.FIRE, "1", "0"),
            (door.tamper, Input.TAMPER, "1", "0"),
            (door.count, Input.COUNT, "1", ""),
        )
        for part, what, active, idle in meanings:
            if part is None or part.device != name or part.input >= len(states):
                continue
            now = states[part.input] == part.active
            was = before[part.input] == part.active if part.input < len(before) else None
            value = active if now else idle
            if now != was and value and not (was is None and what in (Input.COUNT, Input.EXIT)):
                self._core.input(door.number, what, value)

    async def _text(self, reader: ReaderConfig, address: str) -> None:
        language = self._config.language

        def make() -> TextLine:
            def told(code: bytes) -> None:
                def then(decision: Decision) -> None:
                    if decision.granted:
                        self._pulse(decision.door, decision.pulse)
                    line.answer(decision.granted, words(decision.reason, language))

                self._core.show(reader.number, Technology.QR, code, then)

            line = TextLine(told)
            return line

        await lines.keep(address, make)
