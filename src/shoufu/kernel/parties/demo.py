import random
from collections.abc import Iterator
from datetime import date

from django.db import transaction

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties import services
from shoufu.kernel.parties.models import Household, Organisation, Person, Vehicle
from shoufu.kernel.parties.services import (
    HouseholdDraft,
    MembershipDraft,
    OrganisationDraft,
    PersonDraft,
    ResidencyDraft,
    VehicleDraft,
)
from shoufu.kernel.places.demo import COMPOUNDS, DISTRICT, SONGSHAN
from shoufu.kernel.places.models import Place

SEED = 20261123
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海波宁欣雨晨梓涵浩宇子轩思琪佳怡"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
FLOORS, FLATS = 6, 2

ORGANISATIONS = (
    ("songshan-property", "property", "松山物业服务中心", "Songshan Property Office", SONGSHAN),
    ("huanggu-alarm", "alarm_centre", "皇姑区接警中心", "Huanggu Alarm Centre", DISTRICT),
    ("songshan-community", "community", "松山社区居民委员会", "Songshan Community Office", SONGSHAN),
    ("huanggu-operations", "community", "首府城市运行中心", "Shoufu Operation Centre", DISTRICT),
)
# Code, name, organisation, title; the accounts of the demo belong to these people.
STAFF = (
    ("staff-operator", "林志远", "huanggu-operations", "运行值班员"),
    ("staff-manager", "赵桂芬", "songshan-property", "物业经理"),
    ("staff-guard", "孙建国", "songshan-property", "保安班长"),
    ("staff-guard-2", "马海波", "songshan-property", "保安"),
    ("staff-officer", "韩冰", "huanggu-alarm", "值班民警"),
    ("staff-auditor", "谢文静", "huanggu-operations", "审计员"),
    ("staff-administrator", "周明", "huanggu-operations", "系统管理员"),
)
RESIDENT = "songshan-b3-u2-301-1"


def _units(compound_code: str, all_floors: bool) -> Iterator[tuple[str, str]]:
    """Unit code and door number of every household."""
    compound = next(item for item in COMPOUNDS if item.code == compound_code)
    for building in range(1, compound.rows * compound.columns + 1):
        for unit in range(1, compound.units + 1):
            code = f"{compound_code}-b{building}-u{unit}"
            for floor in range(1, FLOORS + 1) if all_floors else (2, 4):
                for flat in range(1, FLATS + 1 if all_floors else 2):
                    yield code, f"{floor}0{flat}"


def _name(dice: random.Random) -> str:
    return dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, dice.choice((1, 2, 2))))


def _homes() -> list[tuple[str, str, str]]:
    """Compound, unit code and door number of every household of the model."""
    return [(c.code, unit, number) for c in COMPOUNDS for unit, number in _units(c.code, c.doors)]


def _residents(dice: random.Random) -> Iterator[tuple[str, str, str, str, date]]:
    """Person's code, compound, household's code, name and birthday of everyone who lives in the model."""
    for compound, unit, number in _homes():
        for member in range(1, dice.choice((1, 2, 2, 3)) + 1):
            born = date(dice.randint(1938, 2012), dice.randint(1, 12), dice.randint(1, 28))
            yield f"{unit}-{number}-{member}", compound, f"{unit}-{number}", _name(dice), born


def _phone(dice: random.Random, number: int) -> str:
    return f"1{dice.choice('3589')}0000{number:05d}"


def _plate(dice: random.Random) -> str:
    if dice.random() < 0.3:
        return "辽A" + dice.choice("DF") + dice.choice(LETTERS) + f"{dice.randint(0, 9999):04d}"
    return "辽A" + "".join(dice.choice(LETTERS + "0123456789" * 3) for _ in range(5))


@transaction.atomic
def load(actor: Actor) -> None:
    """Make the people, households, organisations and vehicles of the model district; a second call changes nothing.

    Names, phones and plates are made up from a fixed seed. No identity numbers: a made-up one may be somebody's.
    """
    if Organisation.objects.filter(code=ORGANISATIONS[0][0]).exists():
        return
    dice = random.Random(SEED)
    places = dict(Place.objects.values_list("code", "pk"))
    offices = services.create_organisations(
        actor, [OrganisationDraft(code, kind, name, places[at], en) for code, kind, name, en, at in ORGANISATIONS]
    )
    homes = services.create_households(actor, [HouseholdDraft(places[unit], number) for _c, unit, number in _homes()])
    _load_people(actor, dice, places, {home.code: home for home in homes}, {o.code: o for o in offices})
    _load_vehicles(actor, dice, places, homes)


def _load_people(
    actor: Actor,
    dice: random.Random,
    places: dict[str, int],
    homes: dict[str, Household],
    offices: dict[str, Organisation],
) -> None:
    listed = list(_residents(dice))
    drafts = [
        PersonDraft(name, places[compound], _phone(dice, n), born=born, code=code)
        for n, (code, compound, _home, name, born) in enumerate(listed)
    ]
    drafts += [
        PersonDraft(name, offices[office].place_id, _phone(dice, 90000 + n), code=code)
        for n, (code, name, office, _title) in enumerate(STAFF)
    ]
    people: dict[str, Person] = {person.code: person for person in services.create_people(actor, drafts)}
    since = date(2019, 5, 1)
    services.move_in(
        actor,
        [
            ResidencyDraft(people[code].pk, homes[home].pk, "owner" if code.endswith("-1") else "family", since)
            for code, _compound, home, _name_, _born in listed
        ],
    )
    services.add_members(
        actor,
        [MembershipDraft(people[code].pk, offices[office].pk, title, since) for code, _n, office, title in STAFF],
    )


def _load_vehicles(actor: Actor, dice: random.Random, places: dict[str, int], homes: list[Household]) -> None:
    compounds = [compound for compound, _unit, _number in _homes()]
    plates: set[str] = set()
    drafts: list[VehicleDraft] = []
    for home, compound in zip(homes, compounds, strict=True):
        plate = _plate(dice)
        if dice.random() < 0.45 and plate not in plates:
            plates.add(plate)
            drafts.append(VehicleDraft(plate, places[compound], home.pk, since=date(2024, 1, 1)))
    services.register_vehicles(actor, drafts)


def registered(limit: int = 20) -> list[str]:
    """Some registered plates of the detailed compound, for simulated gates."""
    rows = Vehicle.objects.filter(place__code=SONGSHAN, until__isnull=True).order_by("plate")
    return list(rows.values_list("plate", flat=True)[:limit])
