"""The controller without its lines: decides, remembers, writes events, carries out orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import structlog

from shoufu.engines.doors import (
    Alarm,
    Change,
    ClockQuality,
    Command,
    CommandName,
    Decision,
    Flag,
    Input,
    Mode,
    Request,
    Side,
    Technology,
    decide,
    event_id,
    observe,
    record,
    reset_fire,
    tick,
    verify_command,
)
from shoufu.engines.doors.decide import mode_of
from shoufu.engines.doors.state import Bolt, Contact

from .clock import Clock, stamp
from .files import Files
from .journal import Entry, Journal
from .late import LateTimes
from .memory import Memory, effect_of
from .store import RuleStore

log = structlog.get_logger("door")

WORDS = {
    Technology.CARD: "card",
    Technology.PIN: "pin",
    Technology.QR: "qr",
    Technology.VISITOR: "visitor",
    Technology.FACE: "face",
    Technology.PLATE: "plate",
}
BOOT = "boot"
SYNC_EVERY = 600.0
AHEAD = 5.0
_json = msgspec.json.Encoder().encode


class Core:
    """One controller. Every call happens in the event loop; ``act`` receives what must be done at the doors."""

    def __init__(self, code: str, files: Files, keys: list[bytes], clock: Clock) -> None:
        self.code = code
        self.clock = clock
        self.files = files
        self.store = RuleStore(files, code, keys)
        self.journal = Journal(files)
        self.memory = Memory(files)
        self.late = LateTimes(files)
        self.state = self.memory.state
        self.act: Callable[[Change], None] = lambda change: None
        self.on_change: Callable[[], None] = lambda: None
        self.boot = 0
        self.sequence = 0
        self.shown_at = 0.0
        self._told_quality = ClockQuality.SYNCED
        self._saved_sync = 0.0
        self._told_facts: dict[int, tuple[str, ...]] = {}

    def open(self) -> None:
        """Take up where the last start ended."""
        self.store.open()
        self.memory.open(self._read())
        self._count_start()
        self.journal.on_remove = self.save
        issued = float(self.store.rules.issued_at) if self.store.rules else 0.0
        self.clock.start(max(self.memory.last_event, issued), self.state.synced_at)
        self.check_clock()
        for damage in (self.memory.damaged, self.late.damaged):
            if damage:
                self.alarm(Alarm.STORAGE, detail=damage)

    def _count_start(self) -> None:
        """The number of this start: above all that are known, also where a bad disk has lost the count."""
        told = self.files.read(BOOT) or b"0"
        self.boot = max(int(told) if told.isdigit() else 0, self.memory.boot) + 1
        self.files.replace(BOOT, str(self.boot).encode())

    def _read(self) -> Iterator[Entry]:
        """The journal's entries; afterwards notes on events told late go whose events are gone."""
        found: set[tuple[int, int]] = set()
        for entry in self.journal.open():
            if self.late.some:
                found.add((entry.boot, entry.sequence))
            yield entry
        self.late.keep(found)

    def save(self) -> bool:
        """Write down the memory; whether the disk took it."""
        try:
            self.memory.save(self.clock.now())
        except OSError as error:
            self.journal.failure = error.strerror or str(error)
            return False
        return True

    def close(self) -> None:
        """A proper end."""
        self.journal.close()
        self.save()

    def show(
        self, reader: int, technology: Technology, identifier: bytes, then: Callable[[Decision], None]
    ) -> Decision:
        """Decide on what was shown; ``then`` is called with the decision once its event is on the disk."""
        clock = self.clock
        now, uptime = clock.now(), clock.uptime()
        request = Request(
            reader=reader, technology=technology, identifier=identifier, now=now, uptime=uptime, clock=clock.quality,
            uncertainty=clock.uncertainty,
        )  # fmt: skip
        self.shown_at = now
        rules = self.store.rules
        decision = decide(rules, self.state, request)
        record(rules, self.state, request, decision)
        stands = rules.readers.get(reader) if rules else None
        first = None
        if (
            rules
            and decision.flags & Flag.FIRST_PERSON
            and decision.granted
            and rules.doors[decision.door].first_person
        ):
            first = self.state.door(decision.door).first_person_span
        effect = effect_of(self.state, decision, stands.area_to if stands else 0, now, first)
        self._tell_access(decision, now, effect, lambda: then(decision))
        if decision.duress:
            self._event("door.duress", decision.door, {**self._who(decision), "reason": decision.reason}, now)
        for alarm in decision.alarms:
            if alarm != Alarm.DURESS:
                self._event("door.alarm", decision.door, {"alarm": alarm}, now)
        if technology == Technology.PIN and not decision.granted and decision.door >= 0:
            at = self.state.door(decision.door)
            if at.pin_wrong == 0 and at.pin_locked_until > uptime and decision.reason != "pin_locked_out":
                self._event("door.alarm", decision.door, {"alarm": Alarm.PIN_LOCKOUT}, now)
        return decision

    def _who(self, decision: Decision) -> dict[str, Any]:
        found: dict[str, Any] = {"key": decision.key.hex(), "credential": WORDS[decision.technology]}
        if decision.person:
            found["person"] = decision.person
        return found

    def _tell_access(
        self, decision: Decision, now: float, effect: dict[str, Any], told: Callable[[], None] | None
    ) -> None:
        result: dict[str, Any] = {
            "granted": decision.granted,
            "credential": WORDS[decision.technology],
            "reason": decision.reason,
            "direction": "out" if decision.side == Side.OUT else "in",
        }
        if decision.key:
            result["key"] = decision.key.hex()
        if decision.person:
            result["person"] = decision.person
        if decision.flags & Flag.CLONABLE:
            result["clonable"] = True
        self._event("door.access", decision.door, result, now, effect, told)

    def _event(
        self, kind: str, door: int, result: dict[str, Any], now: float, effect: dict[str, Any] | None = None,
        told: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.sequence += 1
        rules = self.store.rules
        result["clock"] = self.clock.quality
        result["boot"] = self.boot
        result["sequence"] = self.sequence
        result["rules"] = self.store.version
        milliseconds = int(now * 1000)
        body: dict[str, Any] = {
            "id": str(event_id(self.code, self.boot, self.sequence, milliseconds)),
            "kind": kind,
            "phenomenonTime": stamp(milliseconds),
            "result": result,
        }
        if door >= 0:
            result["door"] = door
            if rules and door in rules.doors:
                body["featureOfInterest"] = rules.doors[door].code
        entry = Entry(self.boot, self.sequence, now, _json(body), effect or None)
        self.memory.note(msgspec.structs.replace(entry, effect=None))
        self.journal.append(entry, told)

    def input(self, door: int, what: Input, value: str) -> None:
        """Something happened at a door's inputs."""
        rules = self.store.rules
        if rules is None or door not in rules.doors:
            return
        clock = self.clock
        now = clock.now()
        changes = observe(rules, self.state, door, what, value, now, clock.uptime(), clock.quality)
        effect = None
        if what == Input.EXIT and value == "1":
            areas = [r.area_to for r in rules.readers.values() if r.door == door and r.side == Side.IN and r.area_to]
            effect = {"left": areas[0]} if areas else None
            result = {"granted": True, "credential": "button", "reason": "exit", "direction": "out"}
            self._event("door.access", door, result, now, effect)
        self._follow(changes, now, {"fire": sorted(self.state.fire)} if what == Input.FIRE else None)

    def _follow(self, changes: list[Change], now: float, effect: dict[str, Any] | None = None) -> None:
        for change in changes:
            if change.alarm is not None:
                result: dict[str, Any] = {"alarm": change.alarm}
                if change.cleared:
                    result["cleared"] = True
                if change.detail:
                    result["detail"] = change.detail
                self._event("door.alarm", change.door, result, now, effect)
                effect = None
            if change.facts:
                self.tell_facts(change.door, now)
            self.act(change)

    def alarm(self, alarm: Alarm, door: int = -1, detail: str = "") -> None:
        """Tell of something wrong with the controller itself or a reader."""
        result: dict[str, Any] = {"alarm": alarm}
        if detail:
            result["detail"] = detail[:200]
        self._event("door.alarm", door, result, self.clock.now())

    def facts(self, door: int, now: float) -> tuple[str, ...]:
        """The four facts: command, bolt, contact, mode."""
        at = self.state.door(door)
        rules = self.store.rules
        assert rules is not None
        mode = mode_of(rules, at, rules.doors[door], now, self.clock.quality)
        open_now = mode in (Mode.UNLOCKED, Mode.LOCKED_OPEN)
        released = self.clock.uptime() < at.unlocked_until or rules.doors[door].fire_zone in self.state.fire
        command = "unlocked" if open_now else "released" if released else "locked"
        return command, at.bolt, at.contact, Mode.ACCESSED if released and not open_now else mode

    def tell_facts(self, door: int, now: float) -> None:
        """Tell the four facts of a door when they changed."""
        facts = self.facts(door, now)
        if self._told_facts.get(door) == facts:
            return
        self._told_facts[door] = facts
        command, bolt, contact, mode = facts
        state = "open" if contact == Contact.OPEN else "closed"
        result = {"state": state, "bolt": Bolt(bolt), "contact": contact, "command": command, "mode": mode}
        self._event("door.state", door, result, now)

    def tick(self) -> None:
        """What the passing of time brings; several times a second."""
        self.check_clock()
        rules = self.store.rules
        if rules is None:
            return
        now = self.clock.now()
        self._follow(tick(rules, self.state, self.clock.uptime()), now)
        for door in rules.doors:
            if door not in self._told_facts:
                self.tell_facts(door, now)
                continue
            told = self._told_facts[door]
            facts = self.facts(door, now)
            # The end of a usual pulse is no news; modes and doors that stand open are.
            if facts[3] != told[3] and {facts[3], told[3]} != {Mode.ACCESSED, Mode.LOCKED}:
                self.tell_facts(door, now)
                self.act(Change(door=door, facts=True))

    def check_clock(self) -> None:
        """Tell when the clock was lost, and when it is known again."""
        self.clock.now()
        quality = self.clock.quality
        if quality == self._told_quality:
            return
        lost, was_lost = quality == ClockQuality.LOST, self._told_quality == ClockQuality.LOST
        self._told_quality = quality
        if lost:
            self.alarm(Alarm.CLOCK_LOST)
        elif was_lost:
            self.alarm(Alarm.CLOCK_SET)
        self.on_change()

    def heard(self, server: float, took: float) -> None:
        """The server told its time (Unix s), in an answer that took so many seconds."""
        issued = float(self.store.rules.issued_at) if self.store.rules else 0.0
        taken = self.clock.set(server, took, issued)
        if taken and self.memory.last_event > self.clock.now() + AHEAD:
            # Events stamped by a clock that ran ahead must not hold the right time back at the next start.
            self.memory.last_event = self.clock.now()
            self.save()
        self.check_clock()

    def renewed(self) -> None:
        """The server confirmed the rule set that is held: leases run anew from here.

        Nothing else renews them: a controller that gets rid of its events but not at new rules must not let withdrawn
        credentials live on. With a lost clock nobody could say until when.
        """
        if self.clock.quality == ClockQuality.LOST:
            return
        self.state.synced_at = self.clock.now()
        if abs(self.state.synced_at - self._saved_sync) > SYNC_EVERY:
            self._saved_sync = self.state.synced_at
            self.save()

    def took_rules(self) -> None:
        """A new rule set is in force."""
        rules = self.store.rules
        assert rules is not None
        self.clock.raise_floor(float(rules.issued_at))
        self.check_clock()
        self.on_change()

    def carry_out(self, command: Command) -> tuple[bool, str]:
        """Carry out an order once; whether it was done, and a word on it."""
        now = self.clock.now()
        if not verify_command(self.store.keys, self.code, command):
            log.error("command with a wrong signature", id=command.id)
            return False, "signature"
        if command.id in self.memory.commands:
            return True, "done before"
        if self.clock.quality == ClockQuality.LOST or now >= command.expires:
            return False, "expired"
        rules = self.store.rules
        if rules is None:
            return False, "no rule set"
        doors = sorted(rules.doors) if command.door is None else [command.door]
        if unknown := [door for door in doors if door not in rules.doors]:
            return False, f"no door {unknown[0]}"
        self.memory.commands[command.id] = float(command.expires)
        return self._do(command, doors, now)

    def _do(self, command: Command, doors: list[int], now: float) -> tuple[bool, str]:
        mark = {"command": (command.id, float(command.expires))}
        rules = self.store.rules
        assert rules is not None
        told = command.parameters
        if command.name == CommandName.OPEN:
            for door in doors:
                self._open(door, bool(told.get("extended")), now, mark)
        elif command.name in (CommandName.MODE, CommandName.RELEASE):
            try:
                mode = Mode(told["mode"]) if command.name == CommandName.MODE else None
            except (KeyError, ValueError):
                return False, "unknown mode"
            until = told.get("until")
            for door in doors:
                at = self.state.door(door)
                at.mode, at.mode_until = mode, float(until) if until is not None else None
                self._mark(door, now, {**mark, "mode": (door, mode, at.mode_until)})
                self.act(Change(door=door, facts=True))
        elif command.name == CommandName.FORGIVE:
            self.state.forgive(told.get("person"))
            self._mark(doors[0], now, {**mark, "forgive": told.get("person")})
        elif command.name == CommandName.RESET_FIRE:
            changes = reset_fire(rules, self.state)
            if not changes:
                return False, "the fire input is still active" if self.state.fire else "no fire release"
            self._follow(changes, now, {**mark, "fire": sorted(self.state.fire)})
        else:
            for door in doors:
                at = self.state.door(door)
                at.pin_wrong = at.pin_lockouts = 0
                at.pin_locked_until = 0.0
            self._mark(doors[0], now, mark)
        return True, "done"

    def _mark(self, door: int, now: float, effect: dict[str, Any]) -> None:
        """Write an order down: the facts of its door, as an event that carries the effect."""
        command, bolt, contact, mode = self._told_facts[door] = self.facts(door, now)
        state = "open" if contact == Contact.OPEN else "closed"
        result = {"state": state, "bolt": bolt, "contact": contact, "command": command, "mode": mode}
        self._event("door.state", door, result, now, effect)

    def _open(self, door: int, extended: bool, now: float, mark: dict[str, Any]) -> None:
        rules = self.store.rules
        assert rules is not None
        rule, at, uptime = rules.doors[door], self.state.door(door), self.clock.uptime()
        pulse = rule.extended_pulse if extended else rule.pulse
        at.unlocked_until = max(at.unlocked_until, uptime + pulse)
        at.held_until = max(at.held_until, uptime + (rule.extended_held if extended else rule.held))
        at.grants += 1
        result = {"granted": True, "credential": "remote", "reason": "granted", "direction": "in"}
        self._event("door.access", door, result, now, mark)
        self.act(Change(door=door, pulse=pulse))

    def report(self, software: str) -> None:
        """Tell how the controller is: rule set, clock, queue."""
        now = self.clock.now()
        result: dict[str, Any] = {
            "rules": self.store.version,
            "waiting": self.journal.waiting + self.journal.unwritten,
            "uptime": round(self.clock.uptime(), 1),
            "offset": round(self.clock.uncertainty, 3),
            "fire": bool(self.state.fire),
            "software": software,
            "lease": int(self.state.synced_at),
        }
        if self.store.hash:
            result["hash"] = self.store.hash
        reason = self.store.refused or (f"disk: {self.journal.failure}" if self.journal.failure else "")
        if reason:
            result["reason"] = reason[:200]
        self._event("door.controller", -1, result, now)
