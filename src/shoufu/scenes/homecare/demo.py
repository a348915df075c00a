"""The scene's part of the model district: a community hospital with its people, services and patients."""

from datetime import date, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Household, Person
from shoufu.kernel.parties.services import MembershipDraft, OrganisationDraft, PersonDraft, ResidencyDraft
from shoufu.kernel.places.demo import DISTRICT
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import services as privacy
from shoufu.kernel.privacy.models import Delegation
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.assessment.instruments import all_versions
from shoufu.scenes.homecare.careplans import demo as careplans
from shoufu.scenes.homecare.encounters import demo as encounters
from shoufu.scenes.homecare.quality import demo as quality
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.demo import face
from shoufu.scenes.homecare.register.models import Institution, Service
from shoufu.scenes.homecare.register.selectors import Health
from shoufu.scenes.homecare.register.services import PerformerDraft, VersionDraft
from shoufu.scenes.homecare.visits import demo as visits

OFFICE = "chongshan-health"
COORDINATOR, NURSE = "coordinator", "nurse"
ACCOUNTS = ((COORDINATOR, "护理调度员 高雅琴", "care_coordinator"), (NURSE, "护士 宋晓燕", "nurse"))
BASE = (123.4230, 41.8420)
REGISTER = "全国护士电子注册信息系统 / National electronic register of nurses"
CONSENT = (
    "护士上门为您操作，会先核对身份并说明步骤。您可以随时叫停。"
    "操作可能引起疼痛、出血或感染；如有不适请立即告知，紧急时拨打 120。"
)
CONSENT_EN = (
    "The nurse checks who you are and explains each step; you may stop at any time. There may be pain, bleeding or "
    "infection; say at once if you feel unwell, and call 120 in an emergency."
)
# Name, profession, rank, years of clinical work, skills, last day of the licence in days from now, verified.
PEOPLE: tuple[tuple[str, str, int, int, tuple[str, ...], int, bool], ...] = (
    ("宋晓燕", "nurse", 3, 14, ("wound", "stoma", "catheter"), 900, True),
    ("白丽娟", "nurse", 2, 7, ("wound", "injection", "catheter"), 700, True),
    ("乔红梅", "nurse", 4, 22, ("venous", "wound", "chronic", "hospice"), 1200, True),
    ("尹春雨", "nurse", 2, 3, ("injection",), 800, True),
    ("武静怡", "nurse", 1, 6, ("catheter", "chronic"), 500, True),
    ("贺建平", "tcm_physician", 3, 16, ("acupuncture", "tuina"), 1000, True),
    ("龚晨曦", "therapist", 2, 8, ("rehabilitation",), 600, True),
    ("樊思远", "nurse", 3, 11, ("chronic", "injection"), 400, False),
)
MEN_FROM = 5
"""From which of them on the drawn faces have short hair."""
# Code, Chinese and English name, what, price, minutes, insurance share, who, skills, against, questionnaires.
SERVICES: tuple[tuple[Any, ...], ...] = (
    ("wound", "压疮与伤口换药", "Wound dressing", 16800, 45, 0, "nurse", ("wound",), ("unstable",), ("braden",)),
    ("catheter", "导尿管护理", "Catheter care", 15800, 40, 0, "nurse", ("catheter",), ("fever",), ("barthel",)),
    ("stoma", "造口护理", "Stoma care", 17800, 50, 0, "nurse", ("stoma",), ("skin",), ("barthel",)),
    ("injection", "遵医嘱肌内注射", "Injection on prescription", 9800, 25, 30, "nurse", ("injection",),
     ("drug_allergy", "fever"), ("morse",)),
    ("acupuncture", "针灸", "Acupuncture", 12800, 40, 40, "tcm_physician", ("acupuncture",),
     ("bleeding", "pregnant", "skin"), ("constitution",)),
    ("rehabilitation", "康复指导（双人）", "Rehabilitation guidance (two people)", 23800, 60, 20, "therapist",
     ("rehabilitation",), ("unstable", "fever"), ("barthel", "morse")),
)  # fmt: skip
MATERIALS = (
    {"name": "一次性手套", "name_en": "Gloves", "quantity": 2, "unit": "副"},
    {"name": "消毒棉片", "name_en": "Antiseptic swabs", "quantity": 6, "unit": "片"},
)
# Home, flags, conditions.
HOMES = (
    ("songshan-b1-u1-101", (), "2 型糖尿病，足部伤口"),
    ("songshan-b1-u2-201", ("bleeding",), "房颤，服用华法林"),
    ("songshan-b2-u1-301", (), "脑梗死恢复期，左侧偏瘫"),
    ("songshan-b2-u3-102", (), "前列腺增生，留置导尿"),
    ("songshan-b3-u1-201", ("drug_allergy",), "高血压；青霉素过敏"),
    ("songshan-b4-u1-101", (), "结肠造口术后"),
    ("songshan-b4-u4-602", ("pacemaker",), "心脏起搏器术后"),
    ("songshan-b6-u1-301", (), "慢性阻塞性肺疾病"),
    ("songshan-b7-u2-401", (), "腰椎间盘突出"),
    ("songshan-b8-u1-201", ("unstable",), "心力衰竭"),
)


@transaction.atomic
def load(actor: Actor) -> None:
    """Make them; a second call changes nothing. Names, phones and licence numbers are made up."""
    district = Place.objects.filter(code=DISTRICT).first()
    if district is None or Institution.objects.exists() or not Household.objects.exists():
        return
    today = timezone.localdate()
    draft = OrganisationDraft(
        OFFICE, "medical", "崇山社区卫生服务中心", district.pk, "Chongshan Community Health Centre"
    )
    organisation = parties.create_organisations(actor, [draft])[0]
    office = services.add_institution(
        actor,
        services.InstitutionDraft(organisation.pk, district.pk, "PDY210105-2041", today + timedelta(days=1100)),
    )
    made = [services.add_service(actor, office.pk, row[0], _version(row)) for row in SERVICES]
    nurse = _staff(actor, office, district, today)
    _patients(actor, office, district, made, nurse, today)
    careplans.load(actor)
    visits.load(actor)
    quality.load(actor)
    encounters.load(actor)


def _version(row: tuple[Any, ...]) -> VersionDraft:
    code, name, english, price, minutes, share, profession, skills, against, scales = row
    double = code == "rehabilitation"
    who = [PerformerDraft((profession,), skills, 2, 5 if profession == "nurse" else 3)]
    return VersionDraft(
        name=name,
        name_en=english,
        duration_minutes=minutes,
        price=price,
        consent=CONSENT,
        consent_en=CONSENT_EN,
        performers=[*who, PerformerDraft(("nurse",), (), 2, 5)] if double else who,
        second="simultaneous" if double else "none",
        what=f"{name}，上门进行，约 {minutes} 分钟。",
        what_en=f"{english} at home, about {minutes} minutes.",
        materials=() if double else MATERIALS,
        insurance_share=share,
        contraindications=against,
        needs_prescription=code in ("injection", "catheter"),
        instruments=scales,
    )


def _staff(actor: Actor, office: Institution, district: Place, today: date) -> Actor:
    names = [("高雅琴", "13800000900"), *((row[0], f"1380000091{n}") for n, row in enumerate(PEOPLE))]
    people = parties.create_people(
        actor, [PersonDraft(name, district.pk, phone, code=f"care-{phone[-3:]}") for name, phone in names]
    )
    work = [MembershipDraft(one.pk, office.organisation_id, "居家护理", date(2021, 3, 1)) for one in people]
    parties.add_members(actor, work)
    accounts = zip(ACCOUNTS, people, strict=False)
    users = create_users(actor, [UserDraft(name, shown, person_id=one.pk) for (name, shown, _r), one in accounts])
    give_roles(actor, [RoleDraft(user.pk, row[2], district.pk) for user, row in zip(users, ACCOUNTS, strict=True)])
    coordinator = actor_for_user(users[0])
    weekly = services.ShiftDraft("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", time(8), time(17), today - timedelta(days=30))
    for n, (name, profession, rank, years, skills, days, verified) in enumerate(PEOPLE):
        draft = services.PractitionerDraft(
            name,
            names[n + 1][1],
            profession,
            rank,
            f"2021{n:02d}10{years:03d}7",
            today + timedelta(days=days),
            today - timedelta(days=int(years * 365.25) + 40),
            skills,
            (BASE[0] + 0.002 * (n % 3), BASE[1] - 0.001 * (n % 4)),
            6000 - 400 * n,
            ("ebike", "walk", "transit", "bicycle")[n % 4],
        )
        row = services.add_practitioner(coordinator, office.pk, draft)
        services.add_shift(coordinator, row.pk, weekly)
        if verified:
            services.verify(coordinator, row.pk, REGISTER)
            services.portray(coordinator, row.pk, face(n, long_hair=n < MEN_FROM, glasses=n in (2, 6)))
    return actor_for_user(users[1])


def _patients(
    actor: Actor, office: Institution, district: Place, made: list[Service], nurse: Actor, today: date
) -> None:
    homes = {home.code: home for home in Household.objects.filter(code__in=[row[0] for row in HOMES])}
    listed = [row for row in HOMES if row[0] in homes]
    surnames = "冉岳蓝芦祁佟穆庄柏翁"
    drafts = [
        PersonDraft(
            f"{surnames[n]}{('桂珍', '德福', '秀英', '长海', '玉芬')[n % 5]}",
            homes[row[0]].place_id,
            f"1380000094{n}",
            born=date(1936 + 3 * n % 25, 1 + n, 11),
            code=f"care-patient-{n}",
        )
        for n, row in enumerate(listed)
    ]
    people = parties.create_people(actor, drafts)
    stays = [ResidencyDraft(one.pk, homes[row[0]].pk, "family") for one, row in zip(people, listed, strict=True)]
    parties.move_in(actor, stays)
    named = [(one.name, f"1380000094{n}", *listed[n][1:]) for n, one in enumerate(people)]
    named += _residents()
    rows = [
        services.add_patient(
            actor,
            office.pk,
            services.PatientDraft(
                name, phone, "门铃坏了，请先打电话" if n % 3 == 0 else "", Health("", conditions, flags, "female")
            ),
        )
        for n, (name, phone, flags, conditions) in enumerate(named)
    ]
    by_code = {one.code: one for one in made}
    _assess(nurse, rows[0].pk, by_code["wound"].pk, fit=True)
    _assess(nurse, rows[1].pk, by_code["acupuncture"].pk, fit=False)


def _residents() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Two people of the community scene who have accounts: their pages show home care too."""
    known = (("demo-grandmother", "13800000801", "膝关节炎"), ("demo-elder", "13800000803", "高血压"))
    people = {one.code: one for one in Person.objects.filter(code__in=[row[0] for row in known])}
    _let_act()
    return [(people[code].name, phone, (), said) for code, phone, said in known if code in people]


def _let_act() -> None:
    """The daughter who may act for her mother may do so for home care as well: a grant is widened by a new one."""
    running = Delegation.objects.filter(person__code="demo-grandmother", withdrawn_at__isnull=True)
    row = running.select_related("person").first()
    user = User.objects.filter(person__code="demo-grandmother").first()
    if row is None or user is None or "care.act" in row.scopes:
        return
    mother = actor_for_user(user)
    privacy.withdraw(mother, row.pk)
    privacy.grant(mother, privacy.GrantDraft(row.delegate_id, [*row.scopes, "care.act"]))


def _assess(nurse: Actor, patient: int, service: int, *, fit: bool) -> None:
    row = assessment.begin(nurse, patient, service)
    for one in row.responses.all():
        scale = all_versions()[one.instrument, one.number]
        answers = {item.code: sorted(item.points)[n % 2 + 1] for n, item in enumerate(scale.asked("female"))}
        assessment.answer(nurse, one.pk, answers)
    draft = (
        assessment.DecisionDraft("fit")
        if fit
        else assessment.DecisionDraft("unfit", "正在服用抗凝药，针刺有出血风险。", "崇山社区卫生服务中心中医科门诊")
    )
    assessment.decide(nurse, row.pk, draft)
