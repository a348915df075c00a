"""The decision at a door, and what it leaves behind."""

from __future__ import annotations

from .blob import Rules
from .keys import credential_key
from .model import ALWAYS, EPOCH, LEASES, NO_END, RECORD, ClockQuality, Door, Flag, Reader, Side, Technology
from .qr import STEP, QrError, ResidentCode, VisitorCode, read_code
from .reasons import Alarm, Reason
from .state import Bolt, Contact, Decision, DoorState, Mode, Request, State

_REFUSES = {
    Mode.LOCKED_DOWN: Reason.LOCKED_DOWN,
    Mode.BLOCKED: Reason.BLOCKED,
    Mode.DOUBLE_LOCKED: Reason.DOUBLE_LOCKED,
}
_STANDS_OPEN = frozenset({Mode.UNLOCKED, Mode.LOCKED_OPEN})
_DAY = 86_400
_LOST = ClockQuality.LOST
# Plain numbers: an operation on an enum of flags takes a microsecond, half as long as the whole decision.
_EXTENDED, _DURESS, _FREE_ROAM, _FIRST_PERSON, _REVOKED, _EMERGENCY = (
    int(flag) for flag in (Flag.EXTENDED, Flag.DURESS, Flag.FREE_ROAM, Flag.FIRST_PERSON, Flag.REVOKED, Flag.EMERGENCY)
)


def decide(rules: Rules | None, state: State, request: Request) -> Decision:
    """Whether the door opens for what was shown. Changes nothing: :func:`record` does, once the answer is given.

    In this order: fire release, the way out (always free), a door that stands open, keypad lock-out, the credential
    (known, genuine, not used, not revoked, at this door, valid, under its lease, in its schedule), the door's mode,
    interlock. Anti-passback and duress only add alarms.
    """
    if rules is None:
        return Decision(granted=False, reason=Reason.NO_RULES, reader=request.reader, clock=request.clock)
    reader = rules.readers.get(request.reader)
    if reader is None:
        return _plain(rules, request, Reason.UNKNOWN_READER)
    door = rules.doors[reader.door]
    at = state.door(reader.door)
    mode = mode_of(rules, at, door, request.now, request.clock)
    if door.fire_zone in state.fire:
        return _open_anyway(rules, state, request, reader, mode, Reason.FIRE_RELEASE)
    if reader.side == Side.OUT:
        return _open_anyway(rules, state, request, reader, mode, Reason.EXIT)
    if mode in _STANDS_OPEN:
        return _open_anyway(rules, state, request, reader, mode, Reason.DOOR_UNLOCKED)
    if request.technology == Technology.PIN and request.uptime < at.pin_locked_until:
        return _at(rules, request, reader, mode, Reason.PIN_LOCKED_OUT)
    answer = identify(rules, state, request, reader, mode)
    if not answer.granted:
        return answer
    refusal = _REFUSES.get(mode)
    if refusal is not None and (mode == Mode.BLOCKED or not answer.flags & _EMERGENCY):
        return _refuse(answer, refusal)
    if door.interlock:
        shut, sound = _peers(state, door, request.uptime)
        if not shut:
            return _refuse(answer, Reason.INTERLOCK)
        if not sound:
            answer.alarms += (Alarm.INTERLOCK_FAULT,)
    return _grant(answer, state, door, reader)


def identify(rules: Rules, state: State, request: Request, reader: Reader, mode: Mode = Mode.LOCKED) -> Decision:
    """The decision as far as the credential goes: no mode, no interlock, no anti-passback."""
    if request.technology in (Technology.QR, Technology.VISITOR):
        return _code(rules, state, request, reader, mode)
    key = credential_key(rules.settings.hash_key, request.technology, request.identifier)
    answer = _at(rules, request, reader, mode, Reason.UNKNOWN_CREDENTIAL)
    answer.key = key
    return _records(rules, state, request, answer)


def mode_of(rules: Rules, at: DoorState, door: Door, now: float, clock: ClockQuality) -> Mode:
    """The door's mode: a person's order first, then the unlock schedule, which needs a clock."""
    if at.mode is not None and (at.mode_until is None or now < at.mode_until or clock == _LOST):
        return at.mode
    if clock == _LOST or not rules.calendar.is_open(door.unlock_schedule, now):
        return Mode.LOCKED
    if door.first_person and at.first_person_span != rules.calendar.day(now):
        return Mode.LOCKED
    return Mode.UNLOCKED


def record(rules: Rules | None, state: State, request: Request, decision: Decision) -> None:
    """Apply what a decision leaves behind: used codes and passes, keypad counts, areas, the command, first person."""
    reader = rules.readers.get(request.reader) if rules else None
    if rules is None or reader is None:
        return
    door = rules.doors[reader.door]
    at = state.door(reader.door)
    if request.technology == Technology.PIN:
        _count_pin(at, door, request, decision)
    if not decision.granted:
        return
    if decision.step is not None:
        state.steps[decision.key] = decision.step
    if decision.passes_key is not None:
        state.passes[decision.passes_key] = state.passes.get(decision.passes_key, 0) + 1
    if decision.person and reader.area_to:
        state.see(decision.person, reader.area_to, request.now)
    at.grants += 1
    if decision.pulse:
        at.unlocked_until = max(at.unlocked_until, request.uptime + decision.pulse)
    at.held_until = max(at.held_until, request.uptime + decision.held)
    if door.first_person and decision.flags & _FIRST_PERSON and request.clock != _LOST:
        at.first_person_span = rules.calendar.day(request.now)


def _count_pin(at: DoorState, door: Door, request: Request, decision: Decision) -> None:
    if decision.reason == Reason.PIN_LOCKED_OUT:
        return
    if decision.reason != Reason.UNKNOWN_CREDENTIAL:
        at.pin_wrong = at.pin_lockouts = 0
        return
    at.pin_wrong += 1
    if at.pin_wrong < door.pin_tries:
        return
    at.pin_locked_until = request.uptime + min(900.0, door.pin_lockout * 2**at.pin_lockouts)
    at.pin_lockouts = min(at.pin_lockouts + 1, 10)
    at.pin_wrong = 0


def _plain(rules: Rules, request: Request, reason: Reason) -> Decision:
    return Decision(
        granted=False, reason=reason, version=rules.version, clock=request.clock, reader=request.reader,
        technology=request.technology,
    )  # fmt: skip


def _at(rules: Rules, request: Request, reader: Reader, mode: Mode, reason: Reason) -> Decision:
    return Decision(
        granted=False, reason=reason, version=rules.version, clock=request.clock, door=reader.door,
        reader=request.reader, side=reader.side, technology=request.technology, mode=mode,
    )  # fmt: skip


def _refuse(answer: Decision, reason: Reason) -> Decision:
    answer.granted = False
    answer.reason = reason
    answer.step = answer.passes_key = None
    return answer


def _open_anyway(rules: Rules, state: State, request: Request, reader: Reader, mode: Mode, reason: Reason) -> Decision:
    """The door opens whatever was shown; who it was is noted when it can be told."""
    door = rules.doors[reader.door]
    answer = identify(rules, state, request, reader, mode)
    known = answer.granted
    if not known:
        answer.person, answer.flags, answer.step, answer.passes_key = 0, 0, None, None
    answer.granted = True
    answer.reason = reason
    answer = _grant(answer, state, door, reader)
    if mode in _STANDS_OPEN or reason == Reason.FIRE_RELEASE:
        answer.pulse = 0.0
    return answer


def _grant(answer: Decision, state: State, door: Door, reader: Reader) -> Decision:
    flags = answer.flags
    slow = bool(flags & _EXTENDED)
    answer.pulse = door.extended_pulse if slow else door.pulse
    answer.held = door.extended_held if slow else door.held
    if flags & _DURESS:
        answer.alarms += (Alarm.DURESS,)
    if reader.area_from and answer.person and not flags & _FREE_ROAM:
        known = state.areas.get(answer.person)
        if known is not None and known[0] != reader.area_from:
            answer.alarms += (Alarm.ANTIPASSBACK,)
    return answer


def _peers(state: State, door: Door, uptime: float) -> tuple[bool, bool]:
    """Whether all interlocked doors are closed and locked as far as their sensors tell, and whether all sensors do."""
    sound = True
    for number in door.interlock:
        peer = state.door(number)
        if peer.contact == Contact.OPEN or peer.bolt == Bolt.UNLOCKED or peer.unlocked_until > uptime:
            return False, sound
        sound = sound and peer.contact == Contact.CLOSED and peer.bolt == Bolt.LOCKED
    return True, sound


def _records(rules: Rules, state: State, request: Request, answer: Decision) -> Decision:
    """Judge the records of ``answer.key``; the first that opens wins, else the reason of the one that came furthest."""
    content = rules.records
    start = rules.index.get(answer.key)
    if start is None:
        return answer
    door = 1 << answer.door
    minute = (request.now - EPOCH) / 60
    furthest = -1
    key = answer.key
    while content[start : start + 8] == key:
        low = int.from_bytes(content[start + 14 : start + RECORD], "big")
        rank, reason = _judge(rules, state, request, content, start, low, door, minute)
        if reason == Reason.REVOKED:
            answer.reason = reason
            answer.granted = False
            return answer
        if rank > furthest:
            furthest = rank
            answer.reason = reason
            answer.person = low & 0xFFFFFF
            answer.flags = low >> 62 & 0x3FF
            answer.granted = reason == Reason.GRANTED
        start += RECORD
    return answer


def _judge(
    rules: Rules, state: State, request: Request, content: bytes, start: int, low: int, door: int, minute: float
) -> tuple[int, Reason]:
    """Reason of one record and how far it came. ``low``: its last ten bytes as a number."""
    flags = low >> 62
    if flags & _REVOKED:
        return 9, Reason.REVOKED
    if not (low >> 24) & door:
        return 0, Reason.NOT_AT_THIS_DOOR
    lost = request.clock == _LOST
    end = int.from_bytes(content[start + 11 : start + 14], "big")
    if minute >= end and end != NO_END:
        return 1, Reason.EXPIRED
    if minute < int.from_bytes(content[start + 8 : start + 11], "big"):
        return 1, Reason.CLOCK_LOST if lost else Reason.NOT_YET_VALID
    lease = LEASES[low >> 60 & 3]
    if lease and request.now >= state.synced_at + lease * _DAY:
        return 2, Reason.LEASE_EXPIRED
    schedule = low >> 72
    if schedule != ALWAYS:
        if lost:
            return 3, Reason.CLOCK_LOST
        if not rules.calendar.is_open(schedule, request.now):
            return 3, Reason.OUTSIDE_SCHEDULE
    return 4, Reason.GRANTED


def _code(rules: Rules, state: State, request: Request, reader: Reader, mode: Mode) -> Decision:
    answer = _at(rules, request, reader, mode, Reason.CODE_UNREADABLE)
    try:
        code = read_code(request.identifier.decode("ascii", "replace"))
    except QrError:
        return answer
    settings = rules.settings
    answer.technology = Technology.QR if isinstance(code, ResidentCode) else Technology.VISITOR
    if not settings.qr_key:
        answer.reason = Reason.NO_CODES_HERE
        return answer
    if code.group != settings.group:
        answer.reason = Reason.OTHER_GROUP
        return answer
    if not code.genuine(settings.qr_key):
        answer.reason = Reason.CODE_FORGED
        return answer
    if request.clock == _LOST or request.uncertainty > STEP:
        answer.reason = Reason.CLOCK_LOST
        return answer
    if isinstance(code, ResidentCode):
        return _resident(rules, state, request, answer, code)
    return _visitor(rules, state, request, answer, code)


def _step(state: State, request: Request, key: bytes, step: int) -> Reason | None:
    """Why a step is not accepted now."""
    present = int(request.now // STEP)
    if step < present - 1:
        return Reason.CODE_OLD
    if step > present + 1:
        return Reason.CODE_EARLY
    if step <= state.steps.get(key, -1):
        return Reason.CODE_USED
    return None


def _resident(rules: Rules, state: State, request: Request, answer: Decision, code: ResidentCode) -> Decision:
    answer.key = credential_key(rules.settings.hash_key, Technology.QR, code.credential_id)
    refusal = _step(state, request, answer.key, code.step)
    if refusal is not None:
        answer.reason = refusal
        return answer
    answer.reason = Reason.UNKNOWN_CREDENTIAL
    answer = _records(rules, state, request, answer)
    if answer.granted:
        answer.step = code.step
    return answer


def _visitor(rules: Rules, state: State, request: Request, answer: Decision, code: VisitorCode) -> Decision:
    claims = code.claims
    answer.key = credential_key(rules.settings.hash_key, Technology.VISITOR, claims.pass_id)
    rotating = code.step != 0 or not claims.fixed
    reason = _step(state, request, answer.key, code.step) if rotating else None
    answer.reason = reason or _claims(rules, state, request, answer, claims_code=code)
    answer.granted = answer.reason == Reason.GRANTED
    if answer.granted:
        answer.step = code.step if rotating else None
        answer.passes_key = (answer.key, -1 if claims.total else answer.door) if claims.passes else None
    return answer


def _claims(rules: Rules, state: State, request: Request, answer: Decision, claims_code: VisitorCode) -> Reason:
    claims = claims_code.claims
    start = rules.index.get(answer.key)
    if start is not None:
        kind = int.from_bytes(rules.records[start + 15 : start + 17], "big")
        answer.person = int.from_bytes(rules.records[start + 21 : start + RECORD], "big")
        answer.flags = kind >> 6
        if answer.flags & _REVOKED:
            return Reason.REVOKED
    bit = rules.doors[answer.door].group_bit
    if bit < 0 or not claims.doors >> bit & 1:
        return Reason.NOT_AT_THIS_DOOR
    if request.now < claims.valid_from:
        return Reason.NOT_YET_VALID
    if request.now >= claims.valid_from + 60 * claims.minutes:
        return Reason.EXPIRED
    if claims.total and claims.passes and claims.doors & ~rules.group_bits:
        return Reason.PASS_NOT_BOUND
    key = (answer.key, -1 if claims.total else answer.door)
    if claims.passes and state.passes.get(key, 0) >= claims.passes:
        return Reason.PASS_USED_UP
    return Reason.GRANTED
