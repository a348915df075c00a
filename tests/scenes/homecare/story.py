from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.parties import services as parties
from shoufu.kernel.places.services import PlaceDraft, create_many
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.selectors import Health
from shoufu.scenes.homecare.register.services import PerformerDraft, VersionDraft

WOUND = VersionDraft(
    "换药",
    "Wound dressing",
    45,
    16800,
    "同意换药",
    "I agree",
    performers=[PerformerDraft(("nurse",), ("wound",), 2, 5)],
    contraindications=("unstable", "bleeding"),
    instruments=("morse",),
    assessment_days=30,
)


@dataclass
class Care:
    """Songshan has two medical organisations. Gao coordinates the first, Song is its nurse of 14 years, Mei its
    patient; her daughter Lan lives elsewhere. Other coordinates the second, which serves the same compound. The clerk
    keeps the books of both."""

    world: Any
    office: Any
    other_office: Any
    service: Any
    song: Any
    mei: Any
    people: dict[str, Any]
    users: dict[str, User] = field(default_factory=dict)

    def act(self, name: str) -> Actor:
        return actor_for_user(self.users[name])

    def client(self, name: str) -> Client:
        browser = Client()
        browser.force_login(self.users[name])
        return browser


PHONES = {"高雅琴": "13811110001", "宋晓燕": "13811110002", "欧阳梅": "13811110003", "欧阳兰": "13811110004",
          "别家人": "13811110005"}  # fmt: skip


def _user(name: str, person: Any, role: str, place: Any) -> User:
    user = User.objects.create(username=name, display_name=person.name, person=person)
    RoleAssignment.objects.create(user=user, role=role, place=place, since=timezone.now() - timedelta(days=1))
    return user


def build(world: Any) -> Care:
    compound, today = world.songshan, timezone.localdate()
    create_many(SYSTEM, [PlaceDraft("unit", "s-u9", "9 单元", "songshan-5", longitude=123.42, latitude=41.84)])
    unit = compound.__class__.objects.get(code="s-u9")
    offices = parties.create_organisations(
        SYSTEM,
        [parties.OrganisationDraft(code, "medical", name, compound.pk) for code, name in (("a", "甲"), ("b", "乙"))],
    )
    names = list(PHONES)
    made = parties.create_people(
        SYSTEM, [parties.PersonDraft(name, compound.pk, PHONES[name], born=date(1950, 1, 1)) for name in names]
    )
    people = dict(zip(("gao", "song", "mei", "lan", "other"), made, strict=True))
    (home,) = parties.create_households(SYSTEM, [parties.HouseholdDraft(unit.pk, "101")])
    parties.move_in(SYSTEM, [parties.ResidencyDraft(people["mei"].pk, home.pk, since=date(2020, 1, 1))])
    drafts = [services.InstitutionDraft(o.pk, compound.pk, f"L-{o.code}", today + timedelta(days=90)) for o in offices]
    office, other = (services.add_institution(SYSTEM, draft) for draft in drafts)
    work = ((people["gao"], offices[0]), (people["song"], offices[0]), (people["other"], offices[1]))
    parties.add_members(SYSTEM, [parties.MembershipDraft(p.pk, o.pk, "护理", date(2020, 1, 1)) for p, o in work])
    users = {
        "gao": _user("gao", people["gao"], "care_coordinator", compound),
        "song": _user("song", people["song"], "nurse", compound),
        "mei": _user("mei", people["mei"], "resident", compound),
        "lan": _user("lan", people["lan"], "resident", compound),
        "other": _user("other", people["other"], "care_coordinator", compound),
        "foreign": User.objects.create(username="foreign", display_name="Foreign"),
        "clerk": User.objects.create(username="fang", display_name="方会计"),
        "manager": world.chen,
    }
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=users["clerk"], role="care_accountant", place=compound, since=since)
    RoleAssignment.objects.create(user=users["foreign"], role="care_coordinator", place=world.changjiang, since=since)
    gao = actor_for_user(users["gao"])
    service = services.add_service(gao, office.pk, "wound", WOUND)
    song = services.add_practitioner(gao, office.pk, nurse("宋晓燕"))
    services.verify(gao, song.pk, "国家注册系统")
    mei = services.add_patient(
        gao,
        office.pk,
        services.PatientDraft("欧阳梅", PHONES["欧阳梅"], "门铃坏了", Health("青霉素", "糖尿病", (), "female")),
    )
    return Care(world, office, other, service, song, mei, people, users)


def nurse(name: str, **changes: Any) -> services.PractitionerDraft:
    today = timezone.localdate()
    plain: dict[str, Any] = {
        "profession": "nurse",
        "rank": 3,
        "licence_number": f"2021-{name}",
        "licence_last_day": today + timedelta(days=60),
        "clinical_since": today - timedelta(days=14 * 366),
        "skills": ("wound",),
        "base": (123.43, 41.84),
    }
    return services.PractitionerDraft(name, PHONES[name], **plain | changes)
