"""A small compound for the tests of the engine."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import (
    ALWAYS,
    Credential,
    Decision,
    Door,
    Flag,
    Reader,
    Request,
    Rules,
    RuleSet,
    Schedule,
    Settings,
    Side,
    SpecialDay,
    State,
    Technology,
    build,
    credential_key,
    decide,
    load,
    record,
    sign,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
HASH_KEY = b"hash key 16 byte"
QR_KEY = b"q" * 32
ZONE = ZoneInfo("Asia/Shanghai")
GATE, INNER, OUTER = 0, 1, 2
IN, OUT = 1, 2
NONE = Flag(0)


def at(text: str) -> float:
    """Unix seconds of local wall time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


NOW = at("2026-11-24 10:00")


def credential(
    identifier: bytes, technology: Technology = Technology.CARD, *, doors: int = 0b111, schedule: int = ALWAYS,
    person: int = 7, flags: Flag = NONE, lease: int = 30, begin: float = NOW - 86_400, end: float | None = None,
) -> Credential:  # fmt: skip
    """A credential at all three doors, valid since yesterday."""
    return Credential(
        key=credential_key(HASH_KEY, technology, identifier), technology=technology, valid_from=int(begin),
        valid_until=None if end is None else int(end), schedule=schedule, doors=doors, person=person, flags=flags,
        lease_days=lease,
    )  # fmt: skip


def rule_set(*credentials: Credential, version: int = 1, **doors: object) -> RuleSet:
    """A gate with readers on both sides, and two interlocked doors of an airlock."""
    settings = Settings(
        controller="gate-1", zone="Asia/Shanghai", hash_key=HASH_KEY, qr_key=QR_KEY, group=3,
        doors=(
            Door(number=GATE, code="gate", group_bit=0, **doors),  # type: ignore[arg-type]
            Door(number=INNER, code="inner", interlock=(OUTER,), group_bit=1),
            Door(number=OUTER, code="outer", interlock=(INNER,)),
        ),
        readers=(
            Reader(number=IN, door=GATE, area_from=1, area_to=2),
            Reader(number=OUT, door=GATE, side=Side.OUT, area_from=2, area_to=1),
            Reader(number=3, door=INNER),
            Reader(number=4, door=OUTER),
        ),
        schedules=(
            Schedule(number=1, spans=tuple((day, 540, 1080) for day in range(5)), special=(7,)),
            Schedule(number=2, spans=tuple((day, 1320, 360) for day in range(5))),
        ),
        special_days=(SpecialDay("2026-10-01", 7), SpecialDay("2026-10-10", 0), SpecialDay("2026-10-11", 0)),
    )  # fmt: skip
    return RuleSet(version=version, issued_at=int(NOW) - 3600, settings=settings, credentials=credentials)


def blob(rules: RuleSet) -> bytes:
    """Signed."""
    return sign(build(rules), KEY)


def loaded(*credentials: Credential, **doors: object) -> Rules:
    """Ready to decide."""
    return load(blob(rule_set(*credentials, **doors)), [PUBLIC], "gate-1")


class Post:
    """A controller in front of which things happen."""

    def __init__(self, rules: Rules, now: float = NOW) -> None:
        self.rules = rules
        self.state = State(synced_at=now)
        self.now = now
        self.uptime = 1000.0

    def show(
        self, identifier: bytes, technology: Technology = Technology.CARD, reader: int = IN, **more: object
    ) -> Decision:
        """Show a credential now; what the decision leaves behind is applied."""
        request = Request(
            reader=reader, technology=technology, identifier=identifier, now=self.now, uptime=self.uptime, **more
        )  # type: ignore[arg-type]
        decision = decide(self.rules, self.state, request)
        record(self.rules, self.state, request, decision)
        return decision

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        self.uptime += seconds
