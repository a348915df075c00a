"""What the controller must still know after a power cut: used codes and passes, areas, orders, the fire release."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from shoufu.engines.doors import Decision, Mode, State

from .files import Files
from .journal import Entry

NAME = "memory.bin"
DAY = 86_400


class Snapshot(msgspec.Struct, kw_only=True):
    """Memory as of an event. Maps are lists of pairs, since MessagePack maps of tuples are not portable."""

    boot: int = 0
    sequence: int = 0
    last_event: float = 0.0
    synced_at: float = 0.0
    fire: list[int] = []
    areas: list[tuple[int, int, float]] = []
    steps: list[tuple[bytes, int]] = []
    passes: list[tuple[bytes, int, int]] = []
    modes: list[tuple[int, str | None, float | None]] = []
    first_person: list[tuple[int, int]] = []
    commands: list[tuple[str, float]] = []


class Memory:
    """Carries a :class:`State` over restarts: a snapshot, and the effects of the journal's entries after it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.state = State()
        self.commands: dict[str, float] = {}
        """Commands carried out, with their expiry."""
        self.last_event = 0.0
        self.damaged = ""
        """What is wrong with the snapshot; empty when it was good or there was none."""
        self._at = (0, 0)

    @property
    def boot(self) -> int:
        """The start of the newest entry known."""
        return self._at[0]

    def open(self, entries: Iterable[Entry]) -> None:
        """Take up the snapshot, then what came after it."""
        content = self._files.read(NAME)
        if content:
            try:
                self._restore(msgspec.msgpack.decode(content, type=Snapshot))
            except (msgspec.MsgspecError, ValueError) as error:
                # A disk that keeps nothing it promised. A door that does not start would be worse than one that forgot.
                self.damaged = f"{NAME}: {error}"
        for entry in entries:
            if (entry.boot, entry.sequence) > self._at:
                self.note(entry)

    def note(self, entry: Entry) -> None:
        """An entry was written: remember where we are, and on reading back what it did."""
        self._at = (entry.boot, entry.sequence)
        self.last_event = max(self.last_event, entry.t)
        if entry.effect:
            self._apply(entry.effect)

    def _apply(self, effect: dict[str, Any]) -> None:
        state = self.state
        if "step" in effect:
            key, step = effect["step"]
            state.steps[key] = max(step, state.steps.get(key, -1))
        if "passes" in effect:
            key, door, used = effect["passes"]
            state.passes[key, door] = max(used, state.passes.get((key, door), 0))
        if "area" in effect:
            person, area, at = effect["area"]
            state.see(person, area, at)
        if "forgive" in effect:
            state.forgive(effect["forgive"])
        if "left" in effect:
            state.forget_area(effect["left"])
        if "fire" in effect:
            state.fire = set(effect["fire"])
        if "mode" in effect:
            door, mode, until = effect["mode"]
            state.door(door).mode = None if mode is None else Mode(mode)
            state.door(door).mode_until = until
        if "first" in effect:
            door, day = effect["first"]
            state.door(door).first_person_span = day
        if "command" in effect:
            self.commands[effect["command"][0]] = effect["command"][1]

    def _restore(self, snapshot: Snapshot) -> None:
        state = self.state
        state.synced_at = snapshot.synced_at
        state.fire = set(snapshot.fire)
        state.areas = {person: (area, at) for person, area, at in snapshot.areas}
        state.steps = dict(snapshot.steps)
        state.passes = {(key, door): used for key, door, used in snapshot.passes}
        for door, mode, until in snapshot.modes:
            state.door(door).mode = None if mode is None else Mode(mode)
            state.door(door).mode_until = until
        for door, day in snapshot.first_person:
            state.door(door).first_person_span = day
        self.commands = dict(snapshot.commands)
        self.last_event = snapshot.last_event
        self._at = (snapshot.boot, snapshot.sequence)

    def save(self, now: float) -> None:
        """Write the snapshot; codes older than a day and commands long expired are left out.

        Older by the server's last word: a clock that runs ahead must not make the door forget which codes were used,
        or they would be good again once it is set right.
        """
        state = self.state
        past = min(now, state.synced_at) - DAY
        oldest = int(past // 30)
        state.steps = {key: step for key, step in state.steps.items() if step >= oldest}
        self.commands = {one: expires for one, expires in self.commands.items() if expires > past}
        snapshot = Snapshot(
            boot=self._at[0],
            sequence=self._at[1],
            last_event=self.last_event,
            synced_at=state.synced_at,
            fire=sorted(state.fire),
            areas=[(person, area, at) for person, (area, at) in state.areas.items()],
            steps=list(state.steps.items()),
            passes=[(key, door, used) for (key, door), used in state.passes.items()],
            modes=[(number, door.mode, door.mode_until) for number, door in state.doors.items() if door.mode],
            first_person=[
                (number, door.first_person_span)
                for number, door in state.doors.items()
                if door.first_person_span is not None
            ],
            commands=list(self.commands.items()),
        )
        self._files.replace(NAME, msgspec.msgpack.encode(snapshot))


def effect_of(state: State, decision: Decision, area_to: int, now: float, first_person: int | None) -> dict[str, Any]:
    """What a decision leaves behind, after it was recorded in ``state``."""
    if not decision.granted:
        return {}
    effect: dict[str, Any] = {}
    if decision.step is not None:
        effect["step"] = (decision.key, decision.step)
    if decision.passes_key is not None:
        effect["passes"] = (*decision.passes_key, state.passes[decision.passes_key])
    if decision.person and area_to:
        effect["area"] = (decision.person, area_to, now)
    if first_person is not None:
        effect["first"] = (decision.door, first_person)
    return effect
