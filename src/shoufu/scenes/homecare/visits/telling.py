"""What patients and coordinators are told of visits."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.notices.services import About, notify_user
from shoufu.kernel.parties.models import Membership
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.payments import money
from shoufu.kernel.payments.models import Order
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.models import Visit


def _when(visit: Visit, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(visit.institution.place.time_zone)):%m-%d %H:%M}"


def _about(visit: Visit, what: str, **words: str) -> About:
    same = {"number": visit.number, "time": _when(visit, visit.starts_at)} | words
    return About(
        place=visit.place,
        event=f"visit:{visit.pk}:{what}:{visit.changed}",
        words={
            "zh-hans": same | {"service": visit.version.name},
            "en": same | {"service": visit.version.name_en or visit.version.name},
        },
    )


def _readers(visit: Visit) -> set[int]:
    """The patient, and who may act for them now: who booked may have lost that right since."""
    persons = [visit.patient.person_id, *(one.pk for one in register.carers(visit.patient))]
    return set(User.objects.filter(person__in=persons, is_active=True).values_list("pk", flat=True))


def _tell(visit: Visit, template: str, about: About, *, besides: int | None = None) -> None:
    for user in sorted(_readers(visit) - {besides}):
        notify_user(SYSTEM, template, about, user)


def _coordinators(visit: Visit) -> list[int]:
    """Who coordinates at the visit's place and does not work for another institution than the visit's."""
    around = [int(part) for part in visit.place.path.strip("/").split("/")]
    now = timezone.now()
    roles = RoleAssignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now), role="care_coordinator", place__in=around, since__lte=now
    )
    users = User.objects.filter(pk__in=roles.values("user"), is_active=True)
    works = Membership.objects.filter(current(), organisation__homecare__isnull=False)
    here = works.filter(organisation=visit.institution.organisation_id)
    found = users.filter(Q(person__in=here.values("person")) | ~Q(person__in=works.values("person")))
    return list(found.order_by("pk").values_list("pk", flat=True))


def booked(visit: Visit) -> None:
    _tell(visit, "homecare.booked", _about(visit, "booked"))


def cancelled(visit: Visit) -> None:
    """The institution cancelled: who booked hears it from the booking kernel, the others here."""
    _tell(visit, "homecare.cancelled", _about(visit, "cancelled"), besides=visit.requested_by_id)


def moved(visit: Visit) -> None:
    """The institution moved it."""
    _tell(visit, "homecare.moved", _about(visit, "moved"))


def paid_too_late(visit: Visit, minor: int) -> None:
    """Money came after the time was gone; it goes back."""
    _tell(visit, "homecare.late_payment", _about(visit, "late", amount=money.shown(minor, visit.version.currency)))


def paid_too_much(visit: Visit, minor: int) -> None:
    """Money came though nothing was due; it goes back."""
    if visit.state == Visit.State.EXPIRED:
        return paid_too_late(visit, minor)
    about = _about(visit, f"surplus-{minor}", amount=money.shown(minor, visit.version.currency))
    return _tell(visit, "homecare.surplus", about)


def owed(visit: Visit, order: Order) -> None:
    """Something is to be paid for a visit that was missed or cancelled late, or that was given after all."""
    charged = {Visit.State.MISSED: "homecare.charged", Visit.State.CANCELLED: "homecare.cancel_charged"}
    template = charged.get(Visit.State(visit.state), "homecare.owed")
    about = _about(visit, f"owed-{order.pk}", amount=money.shown(order.payer_minor, order.currency))
    _tell(visit, template, about)


def blocked(visit: Visit) -> None:
    """It can no longer take place as booked: the coordinator must act, the patient must know."""
    about = _about(visit, "blocked")
    for user in _coordinators(visit):
        notify_user(SYSTEM, "homecare.blocked", about, user)
    _tell(visit, "homecare.blocked_patient", about)
