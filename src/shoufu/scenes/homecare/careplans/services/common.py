from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.audit.services import Act
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.notices.services import About, notify_user
from shoufu.kernel.parties.models import Membership
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan
from shoufu.scenes.homecare.register.models import Patient, Practitioner

NOTE, REVISION, TOLD = "homecare.plan.note", "homecare.plan.revision", "homecare.finding"
ANSWER, FOLLOW_UP, LETTER, REASON = (
    "homecare.finding.answer", "homecare.followup", "homecare.handover", "homecare.plan.end",
)  # fmt: skip
LANGUAGES = ("zh-hans", "en")


def act(action: str, row: models.Model, patient: Patient, reason: str = "", **data: object) -> Act:
    """An audit line about a patient; `data` must hold no health data."""
    return Act(action, row, patient.place_id, reason=reason, subject=patient.person_id, data=data)


def running(patient: Patient) -> None:
    """Conflict where the patient's home care has ended."""
    if patient.ended_at is not None:
        raise Conflict(_("This person's home care has ended."))


def writer(actor: Actor, patient: Patient) -> Practitioner | None:
    """As whom the actor writes in a patient's plans; Conflict where they may not. None for the system only."""
    found = selectors.practising(actor, patient)
    if found is None and not actor.is_system:
        raise Conflict(_("Only a verified practitioner of the patient's institution with a valid licence may do this."))
    return found


def locked(plan_id: int, version: int | None = None) -> CarePlan:
    """A plan, locked; Conflict where somebody changed it since `version`, or it has ended."""
    rows = CarePlan.objects.select_for_update(of=("self",)).select_related(
        "patient__person", "patient__place", "patient__institution__place", "place"
    )
    row = rows.get(pk=plan_id)
    if version is not None and row.version != version:
        raise Conflict(
            _("Somebody changed this plan meanwhile. Look at it again; nothing of yours was kept."), version=row.version
        )
    if row.state != CarePlan.State.ACTIVE:
        raise Conflict(_("This care plan has ended."))
    return row


def about(place: Place, event: str, at: datetime, words: Mapping[str, Mapping[str, str]]) -> About:
    """What a notice is about; the time and the place are filled in for each language."""
    local = at.astimezone(ZoneInfo(place.time_zone))
    same = {"time": f"{local:%m-%d %H:%M}"}
    names = {"zh-hans": place.name, "en": place.name_en or place.name}
    filled = {code: same | {"place": names[code]} | dict(words.get(code, {})) for code in LANGUAGES}
    return About(place=place, event=event, words=filled)


def team(patient: Patient) -> list[int]:
    """The accounts of who cares for a patient; where nobody is named, the institution's nurses and coordinators."""
    named = Practitioner.objects.filter(patients=patient, left_at__isnull=True).values_list("person", flat=True)
    found = selectors.accounts(named)
    if found:
        return found
    members = Membership.objects.filter(current(), organisation=patient.institution.organisation_id)
    roles = RoleAssignment.objects.filter(role__in=("nurse", "care_coordinator"), until__isnull=True)
    people = members.filter(person__user__in=roles.values("user")).values_list("person", flat=True)
    return selectors.accounts(people)


def tell(template: str, what: About, users: Iterable[int]) -> None:
    """One notice for each account; the same event is told once."""
    for user in dict.fromkeys(users):
        notify_user(SYSTEM, template, what, user)
