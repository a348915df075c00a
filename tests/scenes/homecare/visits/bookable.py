from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Household
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Visit

SAFE = {"history": 0, "diagnosis": 15, "aid": 0, "infusion": 0, "gait": 10, "insight": 0}


@dataclass
class Bookable:
    """`care` with what booking needs. Times are those of Songshan's clocks, some days from now."""

    care: Any
    offering: Any

    def day(self, ahead: int = 3) -> date:
        return timezone.localdate() + timedelta(days=ahead)

    def at(self, hour: int, minute: int = 0, ahead: int = 3) -> datetime:
        return datetime.combine(self.day(ahead), time(hour, minute), ZoneInfo(self.care.office.place.time_zone))

    @property
    def version(self) -> Any:
        return self.care.service.versions.order_by("-since").first()

    def draft(self, start: datetime, **changes: Any) -> services.VisitDraft:
        plain = services.VisitDraft(self.care.mei.pk, self.care.service.pk, start, self.version.pk)
        return replace(plain, **changes)

    def book(self, start: datetime, who: str = "mei", **changes: Any) -> Visit:
        return services.book(self.care.act(who), self.draft(start, **changes), mine=who in ("mei", "lan"))

    def paid(self, visit: Visit) -> Visit:
        """In cash, and what follows from it."""
        from shoufu.kernel.payments import services as payments

        payments.confirm_offline(SYSTEM, visit.order_id, visit.order.payer_minor, "R-1")
        ordering.follow(visit.pk)
        return Visit.objects.select_related("order", "booking").get(pk=visit.pk)

    def slots(self, who: str = "mei", since: int = 2, until: int = 9, **more: Any) -> list[datetime]:
        found = services.free_slots(
            self.care.act(who), self.care.mei.pk, self.care.service.pk, self.at(0, ahead=since),
            self.at(0, ahead=until), mine=who in ("mei", "lan"), **more,
        )  # fmt: skip
        return [one.start for one in found]

    def neighbours(self, count: int) -> list[Patient]:
        """So many more patients in Mei's home, assessed."""
        phones = [f"1370000{n:04d}" for n in range(count)]
        drafts = [parties.PersonDraft(f"邻居{n}", self.care.world.songshan.pk, phone) for n, phone in enumerate(phones)]
        people = parties.create_people(SYSTEM, drafts)
        home = Household.objects.get()
        parties.move_in(SYSTEM, [parties.ResidencyDraft(one.pk, home.pk) for one in people])
        gao = self.care.act("gao")
        made = [
            register.add_patient(gao, self.care.office.pk, register.PatientDraft(one.name, phone))
            for one, phone in zip(people, phones, strict=True)
        ]
        for one in made:
            assess(self.care, one, self.care.service)
        return made

    def colleague(self, name: str, phone: str) -> Any:
        """Another nurse who is on duty from 8 to 17 and may do what Song may."""
        (person,) = parties.create_people(SYSTEM, [parties.PersonDraft(name, self.care.world.songshan.pk, phone)])
        draft = register.PractitionerDraft(
            person.name, phone, profession="nurse", rank=3, licence_number=f"N-{phone}",
            licence_last_day=self.day(60), clinical_since=self.day(-14 * 366), skills=("wound",), base=(123.43, 41.84),
        )  # fmt: skip
        gao = self.care.act("gao")
        row = register.add_practitioner(gao, self.care.office.pk, draft)
        register.verify(gao, row.pk, "国家注册系统")
        register.add_shift(gao, row.pk, register.ShiftDraft("FREQ=DAILY", time(8), time(17), self.day(-1)))
        return row

    def again(self, visit: Visit) -> Visit:
        return Visit.objects.select_related("order", "booking").get(pk=visit.pk)


def assess(care: Any, patient: Any, service: Any) -> None:
    """Song finds the patient fit for the service."""
    row = assessment.begin(SYSTEM, patient.pk, service.pk)
    for response in row.responses.all():
        assessment.answer(SYSTEM, response.pk, SAFE)
    assessment.decide(care.act("song"), row.pk, assessment.DecisionDraft("fit"))


def build(care: Any) -> Bookable:
    since = timezone.localdate() - timedelta(days=1)
    shift = register.ShiftDraft("FREQ=DAILY", time(8), time(17), since)
    register.add_shift(care.act("gao"), care.song.pk, shift)
    assess(care, care.mei, care.service)
    care.mei = Patient.objects.get(pk=care.mei.pk)
    offering = services.open_for_booking(care.act("gao"), care.service.pk)
    return Bookable(care, offering)
