"""The compound of the drill: doors, controllers, people's credentials, visitors, schedules and holidays."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from shoufu.engines.doors import card_identifier

CARDS = 160
PINS = 40
PHONES = 60
VISITORS = 24
WEEK = ["mon", "tue", "wed", "thu", "fri"]


@dataclass
class Setting:
    """What was made. ``by_card``: card's identifier → credential id, for revocation; ``readers``: controller's code →
    number of its reader."""

    sites: list[tuple[str, str]]
    readers: dict[str, int]
    by_card: dict[str, int]
    cards: list[str]
    pins: list[str]
    phones: list[tuple[bytes, bytes, int]]
    fixed: list[str]
    turning: list[tuple[bytes, bytes, int]]


def make(doors: int, seed: int) -> Setting:
    """Make everything by the kernel's own services."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices import services as devices
    from shoufu.kernel.devices.services import DeviceDraft
    from shoufu.kernel.doors.compiling import reader_number
    from shoufu.kernel.doors.services import points
    from shoufu.kernel.doors.services.points import PointDraft, ReaderDraft
    from shoufu.kernel.places import services as places
    from shoufu.kernel.places.services import PlaceDraft

    *_, compound = places.create_many(
        SYSTEM,
        [
            PlaceDraft(kind="district", code="drill", name="演练区"),
            PlaceDraft(kind="block", code="drill-block", name="演练街道", parent="drill"),
            PlaceDraft(kind="compound", code="drill-home", name="演练小区", parent="drill-block"),
        ],
    )
    made = devices.register_many(
        SYSTEM, [DeviceDraft(f"door-{n}", "door_controller", f"门 {n}", compound.pk) for n in range(doors)]
    )
    readers = (ReaderDraft("card"), ReaderDraft("pin"), ReaderDraft("qr"))
    found = points.create_points(
        SYSTEM,
        [
            PointDraft(f"gate-{n}", f"门 {n}", compound.pk, "gate", one.device.pk, readers=readers)
            for n, one in enumerate(made)
        ],
    )
    setting = Setting(
        [(one.device.code, one.secret) for one in made],
        {one.device.code: reader_number(1, 1) for one in made},
        {}, [], [], [], [], [],
    )  # fmt: skip
    _people(setting, compound.pk, [point.pk for point in found], random.Random(seed))
    _visitors(setting, compound.pk, [point.pk for point in found], random.Random(seed))
    return setting


def _people(setting: Setting, place: int, points: list[int], chance: random.Random) -> None:
    from django.utils import timezone

    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.doors.models import DoorGroup
    from shoufu.kernel.doors.services import credentials, levels, people
    from shoufu.kernel.doors.services.credentials import CredentialDraft
    from shoufu.kernel.doors.services.levels import DoorDraft, LevelDraft, ScheduleDraft, SpecialDayDraft

    today = timezone.localdate()
    levels.set_special_days(
        SYSTEM,
        [
            SpecialDayDraft(
                today + timedelta(days=n),
                "holiday" if n % 2 else "workday",
                f"演练日 {n}",
                stands_for=None if n % 2 else 1,
            )  # fmt: skip
            for n in (1, 2, 9, 13, 14)
        ],
    )
    day, night = levels.create_schedules(
        SYSTEM,
        [
            ScheduleDraft("day", "工作日", place, [{"days": WEEK, "from": "07:00", "to": "19:30"}]),
            ScheduleDraft("night", "夜间", place, [{"days": [*WEEK, "holiday"], "from": "21:00", "to": "08:00"}]),
        ],
    )
    always, work, nights, few = levels.create_levels(
        SYSTEM,
        [
            LevelDraft("always", "全天", place, [DoorDraft(one) for one in points]),
            LevelDraft("work", "白天", place, [DoorDraft(one, day.pk) for one in points]),
            LevelDraft("nights", "夜班", place, [DoorDraft(one, night.pk) for one in points]),
            LevelDraft("few", "部分门", place, [DoorDraft(one) for one in points[::3]]),
        ],
    )
    choices = [(always.pk,)] * 5 + [(work.pk,), (nights.pk,), (few.pk,), (few.pk, work.pk), (work.pk, nights.pk)]
    now = timezone.now()
    spans = [(-1, None), (-1, None), (-1, 1 / 1440), (-1, 3), (-1, 20), (2, None), (2, 20)]

    def drafts(technology: str, values: list[str]) -> list[CredentialDraft]:
        found = []
        for n, value in enumerate(values):
            begin, end = chance.choice(spans)
            draft = CredentialDraft(
                place, technology, value, holder=f"{technology} {n}", levels=chance.choice(choices),
                valid_from=now + timedelta(days=begin), valid_until=now + timedelta(days=end) if end else None,
                lease_days=chance.choice((7, 14, 30)), duress=technology == "pin" and n % 5 == 0,
            )  # fmt: skip
            found.append(draft)
        return found

    numbers = [f"{0x0A000000 + 977 * n:08X}" for n in range(CARDS)]
    cards = credentials.issue_many(SYSTEM, drafts("card", numbers))
    setting.by_card = {card_identifier(one.value).decode(): one.credential.pk for one in cards}
    setting.cards = [*setting.by_card, *(f"FF{n:06X}" for n in range(15))]
    setting.pins = [one.value for one in credentials.issue_many(SYSTEM, drafts("pin", [""] * PINS))]
    setting.pins += [f"{chance.randrange(10**8):08d}" for _ in range(15)]
    phones = credentials.issue_many(SYSTEM, drafts("qr", [""] * PHONES))
    group = DoorGroup.objects.select_related("place").get(place=place)
    for one in phones:
        key = people.phone_key(one.credential, group)
        setting.phones.append((key.identifier, key.key, key.group))


def _visitors(setting: Setting, place: int, points: list[int], chance: random.Random) -> None:
    from django.utils import timezone

    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.doors.services import passes
    from shoufu.kernel.doors.services.passes import PassDraft

    now = timezone.now()
    for n in range(VISITORS):
        begin = now + timedelta(minutes=chance.choice((-60, -60, -60, 30)))
        draft = PassDraft(
            place, f"访客 {n}", begin, begin + timedelta(hours=chance.choice((2, 30, 24 * 20))),
            maximum=chance.choice((None, 1, 1, 2, 5)), rotating=n % 3 == 0,
            points=tuple(chance.sample(points, chance.choice((1, min(8, len(points)))))),
        )  # fmt: skip
        issued = passes.issue_pass(SYSTEM, draft)
        if issued.payload:
            setting.fixed.append(issued.payload)
        else:
            setting.turning.append((issued.code.head, issued.code.key, issued.code.size))
