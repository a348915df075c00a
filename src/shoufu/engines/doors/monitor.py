"""What the door itself does: contact, bolt, exit button, fire input, people counted."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from .blob import Rules
from .decide import mode_of
from .model import ClockQuality, Side
from .reasons import Alarm
from .state import Bolt, Contact, DoorState, Mode, State


class Input(StrEnum):
    """An input of a door. Values: CONTACT open/closed/fault, BOLT locked/unlocked/fault, EXIT and TAMPER 1/0, FIRE 1/0
    (the door's zone), COUNT people through the open door."""

    CONTACT = "contact"
    BOLT = "bolt"
    EXIT = "exit"
    FIRE = "fire"
    COUNT = "count"
    TAMPER = "tamper"


class Change(msgspec.Struct, kw_only=True):
    """Something to tell or to do. ``pulse`` > 0: open the lock for so long; ``sound``: the pre-alarm at the door on or
    off; ``facts``: the door's facts changed."""

    door: int
    alarm: Alarm | None = None
    cleared: bool = False
    facts: bool = False
    pulse: float = 0.0
    sound: bool | None = None
    detail: str = ""


def observe(
    rules: Rules, state: State, door: int, what: Input, value: str, now: float, uptime: float,
    clock: ClockQuality = ClockQuality.SYNCED,
) -> list[Change]:  # fmt: skip
    """Take in one input; what follows from it."""
    at = state.door(door)
    if what == Input.CONTACT:
        return _contact(rules, state, door, at, Contact(value), now, uptime, clock)
    if what == Input.BOLT:
        return _bolt(door, at, Bolt(value))
    if what == Input.EXIT:
        return _exit(rules, state, door, at, uptime) if value == "1" else []
    if what == Input.FIRE:
        return _fire(rules, state, rules.doors[door].fire_zone, value == "1")
    if what == Input.COUNT:
        return passage(rules, state, door, int(value))
    return [Change(door=door, alarm=Alarm.TAMPER)] if value == "1" else []


def _contact(
    rules: Rules, state: State, door: int, at: DoorState, contact: Contact, now: float, uptime: float,
    clock: ClockQuality,
) -> list[Change]:  # fmt: skip
    if contact == at.contact:
        return []
    before, at.contact = at.contact, contact
    changes = [Change(door=door, facts=True)]
    if Contact.FAULT in (before, contact):
        changes.append(Change(door=door, alarm=Alarm.CONTACT_FAULT, cleared=contact != Contact.FAULT))
    if contact == Contact.FAULT:
        return changes
    if contact == Contact.OPEN:
        at.opened_at = uptime
        rule = rules.doors[door]
        allowed = (
            uptime < at.unlocked_until
            or rule.fire_zone in state.fire
            or mode_of(rules, at, rule, now, clock) in (Mode.UNLOCKED, Mode.LOCKED_OPEN)
        )
        at.held_until = max(at.held_until, uptime + rule.held)
        if not allowed and before != Contact.UNKNOWN:
            at.forced = True
            changes.append(Change(door=door, alarm=Alarm.FORCED))
        return changes
    if at.opened_at is not None:
        changes += _closed(door, at)
    return changes


def _closed(door: int, at: DoorState) -> list[Change]:
    changes = []
    if at.forced or at.warned:
        changes.append(Change(door=door, alarm=Alarm.CLOSED_AGAIN, sound=False))
    at.opened_at = None
    at.warned = at.too_long = at.forced = False
    at.grants = at.counted = 0
    at.held_until = 0.0
    # The lock falls in behind who has passed; the rest of the pulse would let a second one in.
    at.unlocked_until = 0.0
    return changes


def _bolt(door: int, at: DoorState, bolt: Bolt) -> list[Change]:
    if bolt == at.bolt:
        return []
    before, at.bolt = at.bolt, bolt
    changes = [Change(door=door, facts=True)]
    if Bolt.FAULT in (before, bolt):
        changes.append(Change(door=door, alarm=Alarm.CONTACT_FAULT, cleared=bolt != Bolt.FAULT, detail="bolt"))
    return changes


def _exit(rules: Rules, state: State, door: int, at: DoorState, uptime: float) -> list[Change]:
    """The exit button always opens. Who left is not known, so nobody inside is held against it later."""
    rule = rules.doors[door]
    for reader in rules.readers.values():
        if reader.door == door and reader.side == Side.IN and reader.area_to:
            state.forget_area(reader.area_to)
    at.unlocked_until = max(at.unlocked_until, uptime + rule.extended_pulse)
    at.held_until = max(at.held_until, uptime + rule.held)
    at.grants += 1
    return [Change(door=door, pulse=rule.extended_pulse, facts=True)]


def _fire(rules: Rules, state: State, zone: int, active: bool) -> list[Change]:
    """The wire has opened the locks already; note it, and keep it until a person resets."""
    if active == (zone in state.fire_inputs):
        return []
    doors = [door.number for door in rules.doors.values() if door.fire_zone == zone]
    if not active:
        state.fire_inputs.discard(zone)
        return [Change(door=door, alarm=Alarm.FIRE_INPUT_ENDED) for door in doors]
    state.fire_inputs.add(zone)
    state.fire.add(zone)
    state.areas.clear()
    return [Change(door=door, alarm=Alarm.FIRE, facts=True) for door in doors]


def reset_fire(rules: Rules, state: State) -> list[Change]:
    """A person has looked and locks again; zones whose input is still active stay open."""
    zones = state.fire - state.fire_inputs
    state.fire -= zones
    return [
        Change(door=door.number, alarm=Alarm.FIRE_RESET, facts=True)
        for door in rules.doors.values()
        if door.fire_zone in zones
    ]


def passage(rules: Rules, state: State, door: int, people: int) -> list[Change]:
    """People counted in the open door; more than were granted is tailgating."""
    at = state.door(door)
    rule = rules.doors[door]
    before = at.counted
    at.counted += people
    if not rule.tailgating or rule.fire_zone in state.fire or at.counted <= max(at.grants, before):
        return []
    return [Change(door=door, alarm=Alarm.TAILGATING, detail=f"{at.counted} > {at.grants}")]


def tick(rules: Rules, state: State, uptime: float) -> list[Change]:
    """What the passing of time brings: call several times a second."""
    changes: list[Change] = []
    for number, at in state.doors.items():
        rule = rules.doors.get(number)
        if rule is None or at.opened_at is None or rule.fire_zone in state.fire or _stands_open(at):
            continue
        if not at.warned and uptime >= at.held_until - rule.warning:
            at.warned = True
            changes.append(Change(door=number, alarm=Alarm.OPEN_WARNING, sound=True))
        if not at.too_long and uptime >= at.held_until:
            at.too_long = True
            changes.append(Change(door=number, alarm=Alarm.OPEN_TOO_LONG))
    return changes


def _stands_open(at: DoorState) -> bool:
    return at.mode in (Mode.LOCKED_OPEN, Mode.UNLOCKED)
