"""The district of the measurement: one institution with its nurses, services, patients and accounts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoufu.kernel.base.actor import Actor
    from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, Service
    from shoufu.scenes.homecare.register.services import VersionDraft

PLACE, OFFICE = "bench-care", "bench-hospital"
CENTRE = (123.42, 41.84)
COMPOUNDS, HOMES = 25, 20
COORDINATOR, MANAGER, NURSE, RESIDENT = "bench-coordinator", "bench-manager", "bench-nurse", "bench-resident"
SPREAD = 0.03
"""Degrees from the centre to the farthest home: about 3 km."""
# Code, names, minutes, price in fen, insurance share, skills, whether it is assessed, second.
SERVICES: tuple[tuple[str, str, str, int, int, int, tuple[str, ...], bool, str], ...] = (
    ("wound", "换药", "Wound dressing", 45, 16800, 30, ("wound",), True, "none"),
    ("catheter", "导尿管护理", "Catheter care", 40, 15800, 0, ("catheter",), False, "none"),
    ("chronic", "慢病随访", "Chronic care", 30, 9800, 40, (), False, "none"),
    ("double", "双人翻身护理", "Turning by two", 40, 23800, 0, (), False, "simultaneous"),
)


@dataclass(frozen=True)
class Made:
    """What was made. `services` are in the order of `SERVICES`; `day` is today at the institution."""

    office: Institution
    services: Sequence[Service]
    nurses: Sequence[Practitioner]
    patients: Sequence[Patient]
    day: date

    @property
    def patient(self) -> Patient:
        """Whose own account asks."""
        return self.patients[0]


def make(nurses: int) -> Made:
    """Make the institution with so many nurses, and 500 patients in 25 compounds around it."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import OrganisationDraft
    from shoufu.kernel.places.models import Place
    from shoufu.scenes.homecare.register import services as register
    from shoufu.scenes.homecare.visits import services as visits

    _places()
    place = Place.objects.get(code=PLACE)
    (organisation,) = parties.create_organisations(SYSTEM, [OrganisationDraft(OFFICE, "medical", "测量医院", place.pk)])
    today = _today()
    draft = register.InstitutionDraft(organisation.pk, place.pk, "BENCH-1", today + timedelta(days=900))
    office = register.add_institution(SYSTEM, draft)
    for row in SERVICES:
        register.add_service(SYSTEM, office.pk, row[0], _version(row))
    coordinator = _accounts(place.pk, organisation.pk)
    _nurses(coordinator, office, nurses, today)
    _patients(office)
    made = find()
    for service in made.services:
        visits.open_for_booking(SYSTEM, service.pk)
    return made


def find() -> Made:
    """The institution that was made before."""
    from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, Service
    from shoufu.scenes.homecare.register.selectors import day_at

    office = Institution.objects.select_related("place", "organisation").get(organisation__code=OFFICE)
    by_code = {one.code: one for one in Service.objects.filter(institution=office).prefetch_related("versions")}
    return Made(
        office,
        [by_code[row[0]] for row in SERVICES],
        list(Practitioner.objects.filter(institution=office).select_related("person").order_by("pk")),
        list(Patient.objects.filter(institution=office).select_related("person", "place").order_by("pk")),
        day_at(office.place),
    )


def _today() -> date:
    from django.utils import timezone

    return timezone.localdate()


def _places() -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.places.services import PlaceDraft, create_many

    draw = random.Random(7)
    drafts = [
        PlaceDraft("district", PLACE, "护理测量区", longitude=CENTRE[0], latitude=CENTRE[1]),
        PlaceDraft("block", f"{PLACE}-block", "护理测量街道", PLACE),
    ]
    for n in range(COMPOUNDS):
        at = (CENTRE[0] + draw.uniform(-SPREAD, SPREAD), CENTRE[1] + draw.uniform(-SPREAD, SPREAD))
        code = f"{PLACE}-{n}"
        drafts += [
            PlaceDraft("compound", code, f"小区 {n}", f"{PLACE}-block", longitude=at[0], latitude=at[1]),
            PlaceDraft("building", f"{code}-b", "1 号楼", code),
            *(
                PlaceDraft(
                    "unit", f"{code}-u{unit}", f"{unit} 单元", f"{code}-b",
                    longitude=at[0] + draw.uniform(-0.002, 0.002), latitude=at[1] + draw.uniform(-0.002, 0.002),
                )
                for unit in range(HOMES)
            ),
        ]  # fmt: skip
    create_many(SYSTEM, drafts)


def _version(row: tuple[str, str, str, int, int, int, tuple[str, ...], bool, str]) -> VersionDraft:
    from shoufu.scenes.homecare.register.services import PerformerDraft, VersionDraft

    _code, name, english, minutes, price, share, skills, assessed, second = row
    who = PerformerDraft(("nurse",), skills, 2, 5)
    return VersionDraft(
        name=name, name_en=english, duration_minutes=minutes, price=price, consent="同意", consent_en="I agree",
        performers=[who, who] if second != "none" else [who], second=second, insurance_share=share,
        needs_assessment=assessed, instruments=("morse",) if assessed else (), assessment_days=180,
    )  # fmt: skip


def _accounts(place: int, organisation: int) -> Actor:
    """A coordinator and a manager who work for the institution; the coordinator as an actor."""
    from shoufu.kernel.access.selectors import actor_for_user
    from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import MembershipDraft, PersonDraft

    names = ((COORDINATOR, "care_coordinator"), (MANAGER, "care_institution"))
    people = parties.create_people(SYSTEM, [PersonDraft(name, place, code=name) for name, _role in names])
    parties.add_members(SYSTEM, [MembershipDraft(one.pk, organisation, "护理", date(2020, 1, 1)) for one in people])
    users = create_users(
        SYSTEM, [UserDraft(name, name, person_id=one.pk) for (name, _r), one in zip(names, people, strict=True)]
    )
    give_roles(SYSTEM, [RoleDraft(user.pk, role, place) for user, (_n, role) in zip(users, names, strict=True)])
    return actor_for_user(users[0])


def _nurses(coordinator: Actor, office: Institution, count: int, today: date) -> None:
    """Nurses on duty from 8 to 17 every day, all verified; the first one has an account."""
    from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import MembershipDraft, PersonDraft
    from shoufu.scenes.homecare.register import services as register

    draw = random.Random(8)
    drafts = [PersonDraft(f"护士{n}", office.place_id, f"1390000{n:04d}", code=f"bench-n{n}") for n in range(count)]
    people = parties.create_people(SYSTEM, drafts)
    work = [MembershipDraft(one.pk, office.organisation_id, "护理", date(2020, 1, 1)) for one in people]
    parties.add_members(SYSTEM, work)
    (user,) = create_users(SYSTEM, [UserDraft(NURSE, NURSE, person_id=people[0].pk)])
    give_roles(SYSTEM, [RoleDraft(user.pk, "nurse", office.place_id)])
    shift = register.ShiftDraft("FREQ=DAILY", time(8), time(17), today - timedelta(days=1100))
    for n, person in enumerate(people):
        base = (CENTRE[0] + draw.uniform(-SPREAD, SPREAD), CENTRE[1] + draw.uniform(-SPREAD, SPREAD))
        draft = register.PractitionerDraft(
            person.name, f"1390000{n:04d}", "nurse", 3, f"N-{n:04d}", today + timedelta(days=700), date(2010, 1, 1),
            (("wound", "catheter"), ("wound",), ("catheter", "wound", "chronic"))[n % 3], base, 20_000,
            ("ebike", "bicycle", "car")[n % 3],
        )  # fmt: skip
        row = register.add_practitioner(coordinator, office.pk, draft)
        register.add_shift(coordinator, row.pk, shift)
        register.verify(coordinator, row.pk, "测量")


def _patients(office: Institution) -> None:
    """A patient behind every unit door, assessed as fit; the first one has an account."""
    from django.utils import timezone

    from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
    from shoufu.kernel.audit import subjects
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import HouseholdDraft, PersonDraft, ResidencyDraft
    from shoufu.kernel.places.models import Place
    from shoufu.scenes.homecare.assessment.models import Assessment
    from shoufu.scenes.homecare.register.models import Patient, Practitioner, ServiceVersion
    from shoufu.scenes.homecare.register.services.common import ACCESS, HEALTH

    units = list(Place.objects.filter(kind="unit", code__startswith=f"{PLACE}-").order_by("pk"))
    homes = parties.create_households(SYSTEM, [HouseholdDraft(one.pk, "101") for one in units])
    people = parties.create_people(
        SYSTEM, [PersonDraft(f"病人{n}", one.pk, code=f"bench-patient-{n}") for n, one in enumerate(units)]
    )
    pairs = list(zip(people, homes, strict=True))
    parties.move_in(SYSTEM, [ResidencyDraft(one.pk, home.pk, since=date(2015, 1, 1)) for one, home in pairs])
    keys, now = subjects.keys_for([one.pk for one in people]), timezone.now()

    def kept(person: int, text: str, field: str) -> bytes:
        key = keys[person]
        assert key is not None
        return subjects.seal_text(key, text, person, field)

    health = '{"allergies": "青霉素", "conditions": "高血压", "flags": [], "sex": "female"}'
    rows = Patient.objects.bulk_create(
        Patient(
            person=one, institution=office, household=home, place_id=home.place_id, since=now - timedelta(days=1100),
            access=kept(one.pk, '"先按门铃"', ACCESS), health=kept(one.pk, health, HEALTH),
        )
        for one, home in pairs
    )  # fmt: skip
    nurses = list(Practitioner.objects.filter(institution=office).order_by("pk"))
    through = Patient.nurses.through
    through.objects.bulk_create(
        through(patient_id=row.pk, practitioner_id=nurses[n % len(nurses)].pk) for n, row in enumerate(rows)
    )
    version = ServiceVersion.objects.get(service__institution=office, service__code="wound")
    Assessment.objects.bulk_create(
        Assessment(
            patient=row, service_id=version.service_id, version=version, place_id=row.place_id, state="decided",
            decision="fit", opened_at=now - timedelta(days=1090), ended_at=now - timedelta(days=1089),
            decided_by=nurses[0], last_day=_today() + timedelta(days=90),
        )
        for row in rows
    )  # fmt: skip
    (user,) = create_users(SYSTEM, [UserDraft(RESIDENT, RESIDENT, person_id=people[0].pk)])
    give_roles(SYSTEM, [RoleDraft(user.pk, "resident", office.place_id)])
