"""Access control that decides at the door: signed rule sets, the decision, rotating QR codes, signed commands.

The console builds one rule set a controller (:func:`build`, :func:`sign`), the controller keeps it (:func:`load`) and
asks :func:`decide` for every credential shown, with no network. Nothing here reads a clock, a file or a socket.

Rule-set blob (big-endian)::

    magic "SFRS1\\n" · version u32 · issued_at u64 (Unix s) · settings length u32 · record count u32
    settings   MessagePack of :class:`Settings` (controller, zone, keys, doors, readers, schedules, special days)
    records    24 bytes each, sorted bytewise, see :func:`pack_record`
    signature  Ed25519 (RFC 8032, 64 bytes) over everything before it

A record: key 8 B (BLAKE2b-8 keyed with ``Settings.hash_key`` over the technology's byte and the identifier) · valid
from and until, u24 minutes since 2020-01-01 UTC each, half-open, 0xFFFFFF = no end · schedule u8 (0 always, 255
never) · u16: technology 4 bits, lease class 2 bits (0 none, 7, 14, 30 days), ten :class:`Flag` bits · door mask u32
(bit = ``Door.number``) · person index u24. One credential may have several records (levels): the first that opens
wins.

Delta: ``magic "SFRD1\\n"`` · from u32 · to u32 · SHA-256 of the whole previous blob (32 B) · issued_at u64 · settings
length u32 (0: unchanged) · removed count u32 · added count u32 · settings · removed keys (8 B each: *all* records of
the key) · added records · signature of the **resulting blob**. So a delta needs no signature of its own: what it
makes is checked whole by :func:`load`. :func:`apply_delta` raises :class:`Gap` when it does not follow on; then ask
for the whole.

Identifiers by technology (bytes)::

    CARD     upper-case hex of the number without parity bits, b"7BB26E" (:func:`card_identifier`, :func:`wiegand`)
    PIN      digits, b"40718253" (eight)
    QR       6 bytes, the resident credential's id (:func:`make_resident_code`, :func:`resident_key`)
    VISITOR  6 bytes, the pass id (:func:`make_visitor_code`, :func:`visitor_key`); a record is needed only to revoke it
    FACE     the terminal's template handle; PLATE the canonical plate in UTF-8

Sync protocol between controller and server (HTTP/1.1, ``Authorization: Bearer <the device's secret>`` always; every
answer may carry ``Shoufu-Time: <Unix milliseconds>``, by which the controller sets its clock):

``GET /v1/doors/rules?have=<version>&hash=<hex SHA-256 of the blob>&wait=<s ≤ 55>`` (``have=0&hash=`` when it has none)
    200 ``application/octet-stream`` with ``Shoufu-Rules: full`` or ``delta`` and ``Shoufu-Rules-Version: <n>``;
    204 nothing newer after ``wait`` seconds (renews the leases like 200 does); 401; 404 no rule set for it yet.
    A controller that could not use a delta asks again at once with ``&whole=1``.
``POST /v1/observations`` what happened (docs/devices.md), kinds ``door.access``, ``door.state``, ``door.alarm``,
    ``door.duress``, ``door.controller`` of ``kernel/observations/kinds.py``. Ids are :func:`event_id`, so sending again
    is safe; ``featureOfInterest`` is the door's ``code``, ``result.door`` its number. ``result.boot`` and
    ``result.sequence`` number the events of a controller without a hole: a hole means a loss. ``door.controller``
    comes every 30 s and on change.
``GET /v1/doors/commands?wait=<s ≤ 55>``
    200 JSON ``{"commands": [<command>, …]}``, 204 none. A command stays until it is answered or expired.
    ``<command>`` = ``{"id": uuid text, "name", "door": number or null (all doors), "parameters": {}, "expires": Unix s,
    "signature": base64url of Ed25519 over :func:`command_bytes`}``; names in :class:`CommandName`:
    ``open {"extended": bool}`` · ``mode {"mode": Mode value, "until": Unix s or null}`` · ``release`` (back to
    the schedule's mode) · ``forgive {"person": index or null for all}`` · ``reset-fire`` · ``unlock-pin`` (open the
    keypad).
``POST /v1/doors/commands/<id>`` ``{"ok": bool, "answer": text}`` → 204. A controller carries out one id once.

The signing key is Ed25519, one an installation; a controller is configured with its public key (32 bytes, hex) and
trusts nothing else. ``Settings.next_keys`` announces further keys of the server before a change of key.
"""

from .blob import Gap, NotNewer, Rules, RuleSetError, Tampered, apply_delta, build, delta, hash_of, load, sign
from .commands import Command, CommandName, command_bytes, sign_command, verify_command
from .decide import decide, record
from .events import event_id
from .keys import card_identifier, credential_key, group_key, pin_valid, resident_key, visitor_key, wiegand
from .model import (
    ALWAYS,
    NEVER,
    ClockQuality,
    Credential,
    Door,
    Flag,
    Reader,
    RuleSet,
    Schedule,
    Settings,
    Side,
    SpecialDay,
    Technology,
    pack_record,
    unpack_record,
)
from .monitor import Change, Input, observe, passage, reset_fire, tick
from .qr import (
    QrError,
    ResidentCode,
    VisitorClaims,
    VisitorCode,
    make_resident_code,
    make_visitor_code,
    read_code,
)
from .reasons import Alarm, Reason, words
from .state import Decision, DoorState, Mode, Request, State

__all__ = [
    "ALWAYS",
    "NEVER",
    "Alarm",
    "Change",
    "ClockQuality",
    "Command",
    "CommandName",
    "Credential",
    "Decision",
    "Door",
    "DoorState",
    "Flag",
    "Gap",
    "Input",
    "Mode",
    "NotNewer",
    "QrError",
    "Reader",
    "Reason",
    "Request",
    "ResidentCode",
    "RuleSet",
    "RuleSetError",
    "Rules",
    "Schedule",
    "Settings",
    "Side",
    "SpecialDay",
    "State",
    "Tampered",
    "Technology",
    "VisitorClaims",
    "VisitorCode",
    "apply_delta",
    "build",
    "card_identifier",
    "command_bytes",
    "credential_key",
    "decide",
    "delta",
    "event_id",
    "group_key",
    "hash_of",
    "load",
    "make_resident_code",
    "make_visitor_code",
    "observe",
    "pack_record",
    "passage",
    "pin_valid",
    "read_code",
    "record",
    "reset_fire",
    "resident_key",
    "sign",
    "sign_command",
    "tick",
    "unpack_record",
    "verify_command",
    "visitor_key",
    "wiegand",
    "words",
]
