"""Ratings, a complaint, an adverse event and a past of the model district, and accounts that look at them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft, create_users, give_roles
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties import services as parties
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.quality import codes, services
from shoufu.scenes.homecare.quality.models import Rating
from shoufu.scenes.homecare.quality.services import ComplaintDraft, IncidentDraft, RatingDraft
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Stop, Visit

MANAGER, REGULATOR = "caremanager", "regulator"
ACCOUNTS = (
    (MANAGER, "护理机构负责人 毕云鹏", "care_institution"),
    (REGULATOR, "卫生健康监管员 邵明远", "care_regulator"),
)
LEAST, DAYS = 20, 84
PHONES = ("13800000970", "13800000971")
RATINGS = (
    (5, ("punctual", "gentle"), "护士很耐心，讲得也清楚。"),
    (4, ("clean",), ""),
    (2, ("late", "hurried"), "晚了四十分钟，打电话才知道堵车。"),
    (5, ("kind", "clear"), ""),
    (5, ("gentle",), "一点也不疼。"),
)


@transaction.atomic
def load(actor: Actor) -> None:
    """Make them; a second call changes nothing. Visits that were done are rated, so visits' part loads before."""
    office = Institution.objects.select_related("organisation", "place").first()
    if office is None:
        return
    _accounts(actor, office)
    if Rating.objects.exists():
        return
    if Visit.objects.filter(institution=office, state=Visit.State.DONE).count() < LEAST:
        _history(office)
    _said(office)
    _happened(office)


def _history(office: Institution) -> None:
    """Visits of the last three months as they would stand there: figures need a past, and nothing books into it."""
    people = list(Practitioner.objects.filter(institution=office, verified_at__isnull=False).order_by("pk"))
    patients = list(Patient.objects.filter(institution=office, ended_at__isnull=True).order_by("pk"))
    versions = list(
        ServiceVersion.objects.filter(service__institution=office, second="none", needs_prescription=False).order_by(
            "pk"
        )
    )
    zone = ZoneInfo(office.place.time_zone)
    today = timezone.now().astimezone(zone).date()
    fit = _assessed(patients, versions, people[0])
    made, sent = [], []
    for n in range(DAYS * len(patients) // 6):
        day = today - timedelta(days=2 + n * 6 // len(patients))
        patient, version = patients[n % len(patients)], versions[n * 5 % len(versions)]
        who = next(
            (one for one in people[n % 3 :] if one.profession in version.performers[0]["professions"]), people[0]
        )
        start = datetime.combine(day, time(8 + n * 7 % 9, 15 * (n % 4)), zone)
        state = "missed" if n % 23 == 7 else "cancelled" if n % 19 == 5 else "done"
        began = start + timedelta(minutes=(n * 7) % 38 - 4) if state == "done" else None
        made.append(
            Visit(
                patient=patient, assessment=fit[patient.pk, version.service_id] if n % 31 else None,
                institution=office, service_id=version.service_id, version=version,
                place_id=patient.place_id, state=state, day=day, starts_at=start,
                latest_at=start + timedelta(minutes=30), requested_at=start - timedelta(days=2 + n % 9),
                consented_at=start - timedelta(days=2), began_at=began,
                ended_at=began + timedelta(minutes=version.duration_minutes + n % 17 - 6) if began else start,
                end_cause={"missed": "nobody_home", "cancelled": "booker"}.get(state, ""),
            )
        )  # fmt: skip
        sent.append(who)
    Visit.objects.bulk_create(made)
    Stop.objects.bulk_create(
        Stop(
            visit=row,
            practitioner=who,
            span=(row.starts_at, row.starts_at + timedelta(minutes=row.version.duration_minutes)),
            live=False,
        )
        for row, who in zip(made, sent, strict=True)
        if row.state == "done"
    )
    rated = [row for row in made if row.state == "done"][::3]
    Rating.objects.bulk_create(
        Rating(visit=row, stars=(5, 4, 5, 3, 5, 4)[n % 6], tags=[codes.Tag.values[n % 5]], made_at=row.ended_at)
        for n, row in enumerate(rated)
        if row.ended_at is not None
    )


def _assessed(
    patients: list[Patient], versions: list[ServiceVersion], who: Practitioner
) -> dict[tuple[int, int], Assessment]:
    """An assessment of every patient for every service, from before those visits."""
    then = timezone.now() - timedelta(days=DAYS + 20)
    rows = Assessment.objects.bulk_create(
        Assessment(
            patient=patient,
            service_id=version.service_id,
            version=version,
            place_id=patient.place_id,
            state="decided",
            opened_at=then,
            ended_at=then,
            decision="fit",
            decided_by=who,
            last_day=timezone.localdate() + timedelta(days=30),
        )
        for patient in patients
        for version in versions
    )
    return {(row.patient_id, row.service_id): row for row in rows}


def _said(office: Institution) -> None:
    """What those patients say who have an account, or whose family has one."""
    rows = Visit.objects.filter(
        institution=office,
        state=Visit.State.DONE,
        ended_at__gte=timezone.now() - timedelta(days=29),
        patient__person__user__isnull=False,
    )
    visits = list(rows.select_related("patient__person__user").order_by("-ended_at")[: len(RATINGS) + 1])
    for visit, (stars, tags, words) in zip(visits[1:], RATINGS, strict=False):
        services.rate(actor_for_user(visit.patient.person.user), visit.pk, RatingDraft(stars, tags, words))
    if visits:
        user = visits[-1].patient.person.user
        draft = ComplaintDraft(
            "time", "约的九点，快十点才到，也没有提前打电话。", "以后晚到请先来电话。", visits[-1].pk
        )
        row = services.complain(actor_for_user(user), visits[-1].patient_id, draft)
        coordinator = User.objects.filter(username="coordinator").first()
        if coordinator is not None:
            services.acknowledge(actor_for_user(coordinator), row.pk)


def _happened(office: Institution) -> None:
    """A needle stick, reported by the nurse whom it happened to."""
    nurse = User.objects.filter(username="nurse").first()
    rows = Visit.objects.filter(institution=office, state=Visit.State.DONE, stops__practitioner__person__user=nurse)
    visit = rows.order_by("-ended_at").first() if nurse is not None else None
    if nurse is None or visit is None or visit.ended_at is None:
        return
    what = "收拾用物时被针头刺到左手食指，手套破了。"
    draft = IncidentDraft("needle", 3, visit.ended_at, what, "挤血、流水冲洗、碘伏消毒。", visit.pk)
    services.report(actor_for_user(nurse), draft)


def _accounts(actor: Actor, office: Institution) -> None:
    if User.objects.filter(username=MANAGER).exists():
        return
    names = [shown.rpartition(" ")[2] for _name, shown, _role in ACCOUNTS]
    drafts = [
        parties.PersonDraft(name, office.place_id, phone, code=f"care-{phone[-3:]}")
        for name, phone in zip(names, PHONES, strict=True)
    ]
    people = parties.create_people(actor, drafts)
    work = parties.MembershipDraft(people[0].pk, office.organisation_id, "负责人", date(2021, 3, 1))
    parties.add_members(actor, [work])
    users = create_users(
        actor, [UserDraft(row[0], row[1], person_id=one.pk) for row, one in zip(ACCOUNTS, people, strict=True)]
    )
    roles = [RoleDraft(user.pk, row[2], office.place_id) for user, row in zip(users, ACCOUNTS, strict=True)]
    give_roles(actor, roles)
