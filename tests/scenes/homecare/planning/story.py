from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.parties import services as parties
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft, create_many
from shoufu.scenes.homecare.planning import services as planning
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.selectors import Health
from shoufu.scenes.homecare.visits.models import Visit

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass
class Board:
    """Next Monday at the office: Song and others on duty from 8 to 17, patients in homes 300 m from each other."""

    care: Any
    day: date
    nurses: dict[str, Any] = field(default_factory=dict)
    patients: list[Any] = field(default_factory=list)

    def act(self, name: str = "gao") -> Actor:
        return self.care.act(name)

    def client(self, name: str = "gao") -> Client:
        return self.care.client(name)

    def at(self, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(self.day, time(hour, minute), SHANGHAI)

    def visit(self, patient: int, hour: int, minute: int = 0, window: int = 30) -> Visit:
        row, start = self.patients[patient], self.at(hour, minute)
        return Visit.objects.create(
            patient=row, institution=self.care.office, service=self.care.service,
            version=self.care.service.versions.get(), place=row.place, state="booked", day=self.day,
            starts_at=start, latest_at=start + timedelta(minutes=window), requested_at=timezone.now(),
        )  # fmt: skip

    def sent(self, visit: Visit, name: str, hour: int, minute: int = 0) -> Visit:
        planning.assign(self.act(), visit.pk, planning.Wish([self.nurses[name].pk], self.at(hour, minute)), pin=False)
        return visit

    def grow(self, nurses: int, patients_: int) -> None:
        """More people on duty and more patients, whom anybody may visit."""
        for n in range(nurses):
            self.nurses[f"n{n}"] = _on_duty(self.care, f"护士{n}", f"138333300{n:02d}")
        self.patients += patients(self.care, patients_, first=10)

    def second_coordinator(self) -> Actor:
        user = User.objects.create(username="he", display_name="何组长")
        RoleAssignment.objects.create(
            user=user, role="care_coordinator", place=self.care.world.songshan, since=timezone.now()
        )
        return actor_for_user(user)


def _nurse(care: Any, name: str, phone: str, **more: Any) -> Any:
    (person,) = parties.create_people(SYSTEM, [parties.PersonDraft(name, care.world.songshan.pk, phone)])
    today = timezone.localdate()
    plain: dict[str, Any] = {
        "profession": "nurse", "rank": 3, "licence_number": f"N-{phone}",
        "licence_last_day": today + timedelta(days=60), "clinical_since": today - timedelta(days=14 * 366),
        "skills": ("wound",), "base": (123.43, 41.84),
    }  # fmt: skip
    row = services.add_practitioner(
        care.act("gao"), care.office.pk, services.PractitionerDraft(person.name, phone, **plain | more)
    )
    services.verify(care.act("gao"), row.pk, "国家注册系统")
    return row


def patients(care: Any, count: int, first: int = 0) -> list[Any]:
    """Patients in units of their own, 300 m apart in rows to the east."""
    numbers = range(first, first + count)
    names = [f"病人{n + 1}" for n in numbers]
    create_many(
        SYSTEM,
        [
            PlaceDraft(
                "unit",
                f"p-u{n}",
                f"{n} 单元",
                "songshan-5",
                longitude=123.42 + 0.0036 * (n % 10),
                latitude=41.842 + 0.001 * (n // 10),
            )
            for n in numbers
        ],
    )
    units = {row.code: row for row in Place.objects.filter(code__startswith="p-u")}
    homes = parties.create_households(SYSTEM, [parties.HouseholdDraft(units[f"p-u{n}"].pk, f"{n}01") for n in numbers])
    phones = [f"13822220{n:03d}" for n in numbers]
    drafts = [
        parties.PersonDraft(name, care.world.songshan.pk, phone) for name, phone in zip(names, phones, strict=True)
    ]
    people = parties.create_people(SYSTEM, drafts)
    since = date(2020, 1, 1)
    parties.move_in(
        SYSTEM, [parties.ResidencyDraft(p.pk, h.pk, since=since) for p, h in zip(people, homes, strict=True)]
    )
    return [
        services.add_patient(care.act("gao"), care.office.pk, services.PatientDraft(name, phone, "", Health()))
        for name, phone in zip(names, phones, strict=True)
    ]


def _shift(care: Any, row: Any) -> None:
    since = timezone.localdate() - timedelta(days=1)
    services.add_shift(care.act("gao"), row.pk, services.ShiftDraft("FREQ=DAILY", time(8), time(17), since))


def _on_duty(care: Any, name: str, phone: str) -> Any:
    row = _nurse(care, name, phone)
    _shift(care, row)
    return row


def build(care: Any) -> Board:
    today = timezone.localdate()
    made = Board(care, today + timedelta(days=7 - today.weekday()))
    made.nurses = {"song": care.song, "bai": _on_duty(care, "白丽娟", "13811110011")}
    _shift(care, care.song)
    made.patients = [care.mei, *patients(care, 3)]
    return made
