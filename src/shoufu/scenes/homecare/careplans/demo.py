"""The part of the model district: three patients with plans and about sixty days of readings, all made up."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.services import MembershipDraft, PersonDraft
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan
from shoufu.scenes.homecare.careplans.services import follow_ups, handovers, plans, readings
from shoufu.scenes.homecare.careplans.services.readings import ReadingDraft
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Patient

NAMES = UUID("6f1d7c1e-3a55-4f0e-9a3b-1c0b5d9f2a10")
DAYS = 60
DOCTOR, DOCTOR_NAME, DOCTOR_PHONE = "doctor", "裴致远", "13800000929"
ACCOUNTS = ((DOCTOR, f"全科医生 {DOCTOR_NAME}", "care_physician"),)
REGISTER = "医师执业注册信息查询 / National register of physicians"
SUGAR = "care-patient-0"
PRESSURE = (("demo-elder", 158.0, 148.0, True), ("demo-grandmother", 146.0, 134.0, False))
"""Code of the person, systolic pressure sixty days ago and now, and whether it went up again of late."""


@transaction.atomic
def load(actor: Actor) -> None:
    """Make them; a second call changes nothing."""
    office = Institution.objects.select_related("place", "organisation").first()
    account = User.objects.filter(username="nurse").first()
    if office is None or account is None or CarePlan.objects.exists():
        return
    nurse = actor_for_user(account)
    _doctor(actor, office)
    people = {one.person.code: one for one in Patient.objects.select_related("person", "place")}
    for code, before, now, rising in PRESSURE:
        if code in people:
            _pressure(nurse, people[code], before, now, rising=rising)
    if SUGAR in people:
        _sugar(nurse, people[SUGAR])


def _doctor(actor: Actor, office: Institution) -> None:
    today = timezone.localdate()
    (person,) = parties.create_people(
        actor, [PersonDraft(DOCTOR_NAME, office.place_id, DOCTOR_PHONE, code="care-doctor")]
    )
    parties.add_members(actor, [MembershipDraft(person.pk, office.organisation_id, "全科", date(2018, 7, 1))])
    draft = register.PractitionerDraft(
        DOCTOR_NAME,
        DOCTOR_PHONE,
        "physician",
        3,
        "110210105004217",
        today + timedelta(days=1500),
        today - timedelta(days=15 * 366),
        ("chronic",),
    )
    made = register.add_practitioner(actor, office.pk, draft)
    register.verify(actor, made.pk, REGISTER)
    ((username, shown, role),) = ACCOUNTS
    (user,) = create_users(actor, [UserDraft(username, shown, person_id=person.pk)])
    give_roles(actor, [RoleDraft(user.pk, role, office.place_id)])


def _moments(patient: Patient, hour: int, chance: Random) -> Iterator[tuple[int, datetime]]:
    """The mornings of the last sixty days, one in eight left out, as days ago and moment."""
    zone, now = selectors.zone_of(patient), timezone.now()
    today = now.astimezone(zone).date()
    for ago in range(DAYS, -1, -1):
        at = datetime.combine(today - timedelta(days=ago), time(hour, chance.randrange(60)), zone)
        if chance.random() > 0.125 and at < now:
            yield ago, at


def _id(patient: Patient, kind: str, at: datetime) -> UUID:
    return uuid5(NAMES, f"{patient.pk}:{kind}:{at.isoformat()}")


def _pressure(nurse: Actor, patient: Patient, before: float, now: float, *, rising: bool) -> None:
    guideline = "hypertension-primary-2019"
    row = plans.make(nurse, patient.pk, plans.PlanDraft("hypertension", guideline, note="少盐，晨起服药后测压。"))
    chance, drafts = Random(patient.pk), []
    for ago, at in _moments(patient, 7, chance):
        systolic = now + (before - now) * ago / DAYS + chance.gauss(0, 4)
        if rising and ago < 4:
            systolic = 155 + chance.random() * 6
        values = {
            "systolic": float(round(systolic)),
            "diastolic": float(round(systolic * 0.56 + chance.gauss(0, 3))),
            "pulse": float(round(72 + chance.gauss(0, 5))),
        }
        drafts.append(ReadingDraft(_id(patient, "blood_pressure", at), "blood_pressure", values, at))
        if ago % 7 == 0:
            weight = {"weight": round(66 - 0.02 * (DAYS - ago) + chance.gauss(0, 0.3), 1)}
            drafts.append(ReadingDraft(_id(patient, "weight", at), "weight", weight, at))
    account = User.objects.filter(person=patient.person_id).first()
    if account is not None:
        readings.add_many(actor_for_user(account), patient.pk, drafts, mine=True)
    else:
        readings.add_many(nurse, patient.pk, drafts)
    follow_ups.add(
        nurse,
        row.pk,
        follow_ups.FollowUpDraft(
            "home", "sometimes" if rising else "regular", "自诉偶有头晕，无胸痛。", "设服药闹钟，复测三天。"
        ),
    )
    if rising:
        handovers.send(nurse, row.pk, handovers.HandoverDraft("近三天血压又高于目标，请看是否调整用药。"))


def _sugar(nurse: Actor, patient: Patient) -> None:
    guideline = "diabetes-primary-2022"
    row = plans.make(nurse, patient.pk, plans.PlanDraft("diabetes", guideline, note="每晚洗脚时检查双脚。"))
    chance, drafts = Random(patient.pk), []
    for ago, at in _moments(patient, 6, chance):
        fasting = {"glucose": round(6.4 + 1.8 * ago / DAYS + chance.gauss(0, 0.4), 1)}
        drafts.append(ReadingDraft(_id(patient, "fasting", at), "glucose", fasting, at, "fasting"))
        later = at + timedelta(hours=3)
        if ago % 3 == 0 and later < timezone.now():
            meal = {"glucose": round(8.6 + 1.5 * ago / DAYS + chance.gauss(0, 0.7), 1)}
            drafts.append(ReadingDraft(_id(patient, "meal", later), "glucose", meal, later, "after_meal"))
    first = timezone.now() - timedelta(days=50)
    drafts.append(ReadingDraft(_id(patient, "hba1c", row.made_at), "hba1c", {"hba1c": 6.9}, first))
    readings.add_many(nurse, patient.pk, drafts)
    draft = follow_ups.FollowUpDraft("phone", "regular", "足部伤口干燥，空腹血糖下降。", "继续目前方案。")
    follow_ups.add(nurse, row.pk, draft)
