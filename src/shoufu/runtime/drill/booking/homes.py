"""Home visits that the clients race for besides: an institution whose nurses' plans say which times there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from shoufu.kernel.places.models import Place
    from shoufu.scenes.homecare.register.models import Institution

NURSES = 5
HOLD_SECONDS = 60
VISITS_A_DAY = 60
"""About what the nurses can do in a day: some more are asked for."""


class Care(msgspec.Struct):
    """A service that can be booked: its id, and the version whose consent is agreed to."""

    id: int
    consent: int


class Homes(msgspec.Struct):
    """What a client asks for: services, their own patient (in the order of the clients), the days that they look at."""

    services: list[Care]
    patients: list[int]
    since: str
    until: str
    starts: list[str]


def make(place: Place, people: Sequence[int], attempts: int) -> Homes:
    """An institution at a place with five nurses, and these people as its patients; so few days that most are full."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.scenes.homecare.visits import services as visits
    from shoufu.scenes.homecare.visits.services import RulesDraft

    office = _office(place)
    made = [_service(office, second) for second in ("none", "none", "simultaneous")]
    for number in range(NURSES):
        _nurse(office, place, number)
    patients = _patients(office, place, people)
    visits.set_rules(SYSTEM, office.pk, RulesDraft(hold_seconds=HOLD_SECONDS))
    for one in made:
        visits.open_for_booking(SYSTEM, one.id)
    days = max(1, min(10, round(attempts / VISITS_A_DAY)))
    first = datetime.combine(_today() + timedelta(days=2), time(8), ZoneInfo(office.place.time_zone))
    starts = [first + timedelta(days=day, minutes=30 * slot) for day in range(days) for slot in range(18)]
    return Homes(
        made,
        patients,
        first.isoformat(),
        (first + timedelta(days=days)).isoformat(),
        [start.isoformat() for start in starts],
    )


def _today() -> date:
    from django.utils import timezone

    return timezone.localdate()


def _office(place: Place) -> Institution:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import OrganisationDraft
    from shoufu.scenes.homecare.register import services as register

    drafts = [OrganisationDraft("drill-hospital", "medical", "演练医院", place.pk)]
    (organisation,) = parties.create_organisations(SYSTEM, drafts)
    last_day = _today() + timedelta(days=300)
    return register.add_institution(SYSTEM, register.InstitutionDraft(organisation.pk, place.pk, "DRILL-1", last_day))


def _service(office: Institution, second: str) -> Care:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.scenes.homecare.register import services as register
    from shoufu.scenes.homecare.register.services import PerformerDraft, VersionDraft

    who = PerformerDraft(("nurse",), (), 1, 0)
    code = f"drill-{office.services.count()}"
    draft = VersionDraft(
        "上门护理", "Care at home", 30, 9800, "同意", "I agree", performers=[who, who] if second != "none" else [who],
        second=second, needs_assessment=False,
    )  # fmt: skip
    made = register.add_service(SYSTEM, office.pk, code, draft)
    return Care(made.pk, made.versions.get().pk)


def _nurse(office: Institution, place: Place, number: int) -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import MembershipDraft, PersonDraft
    from shoufu.scenes.homecare.register import services as register

    phone = f"1380013{number:04d}"
    (person,) = parties.create_people(SYSTEM, [PersonDraft(f"护士{number}", place.pk, phone)])
    parties.add_members(SYSTEM, [MembershipDraft(person.pk, office.organisation_id, "护理", date(2020, 1, 1))])
    draft = register.PractitionerDraft(
        person.name, phone, "nurse", 3, f"N-{number}", _today() + timedelta(days=200), date(2010, 1, 1), (),
        (123.42 + 0.002 * number, 41.84), 20_000,
    )  # fmt: skip
    row = register.add_practitioner(SYSTEM, office.pk, draft)
    register.add_shift(
        SYSTEM, row.pk, register.ShiftDraft("FREQ=DAILY", time(8), time(17), _today() - timedelta(days=1))
    )
    # The system has no account: whoever verifies is a person.
    register.verify(_clerk(place), row.pk, "演练")


def _clerk(place: Place) -> Any:
    from shoufu.kernel.access import services as access
    from shoufu.kernel.access.models import User
    from shoufu.kernel.access.selectors import actor_for_user
    from shoufu.kernel.access.services import RoleDraft, UserDraft
    from shoufu.kernel.base.actor import SYSTEM

    user = User.objects.filter(username="drill-clerk").first()
    if user is None:
        user = access.create_user(SYSTEM, UserDraft("drill-clerk", "Clerk"))
        access.give_role(SYSTEM, RoleDraft(user.pk, "care_coordinator", place.pk))
    return actor_for_user(User.objects.get(pk=user.pk))


def _patients(office: Institution, place: Place, people: Sequence[int]) -> list[int]:
    """Each at home in a unit of their own, some hundred metres apart."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.models import Person
    from shoufu.kernel.parties.services import HouseholdDraft, ResidencyDraft
    from shoufu.kernel.places.services import PlaceDraft, create_many
    from shoufu.scenes.homecare.register import services as register

    drafts = [PlaceDraft("building", "drill-building", "1 号楼", place.code)]
    drafts += [
        PlaceDraft(
            "unit", f"drill-u{n}", f"{n} 单元", "drill-building", longitude=123.42 + 0.002 * (n % 8),
            latitude=41.84 + 0.002 * (n // 8),
        )
        for n in range(len(people))
    ]  # fmt: skip
    units = create_many(SYSTEM, drafts)[1:]
    homes = parties.create_households(SYSTEM, [HouseholdDraft(unit.pk, "101") for unit in units])
    since = date(2015, 1, 1)
    parties.move_in(
        SYSTEM, [ResidencyDraft(one, home.pk, since=since) for one, home in zip(people, homes, strict=True)]
    )
    rows = {one.pk: one for one in Person.objects.filter(pk__in=people)}
    return [
        register.add_patient(SYSTEM, office.pk, register.PatientDraft(rows[one].name, f"1370013{n:04d}")).pk
        for n, one in enumerate(people)
    ]
