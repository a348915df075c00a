import re
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.models import Household, Residency
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services.common import HANDLE, INVITE_SCOPE, VIEW, unknown


def _rows() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("household__place__parent__parent", "place", "visit", "case").defer(
        "phone"
    )


def listing(actor: Actor, path: str = "/") -> QuerySet[Invitation]:
    """Visits of the places where the actor looks after visitors, newest first; phone numbers come from a service."""
    return limit(_rows(), actor, VIEW).filter(place__path__startswith=path)


def of_desk(actor: Actor, invitation_id: int) -> Invitation:
    """One visit for the desk; NotFound elsewhere."""
    found = listing(actor).filter(pk=invitation_id).first()
    if found is None:
        raise unknown(invitation_id)
    return found


def own(actor: Actor, person_id: int | None = None) -> QuerySet[Invitation]:
    """Visits of the actor's homes (or those of somebody who lets them invite): own invitations and whom the desk asks
    about; what others of the home invited stays theirs."""
    person = privacy.subject(actor, person_id, INVITE_SCOPE)
    asked = Q(host__isnull=True, household__residencies__in=_stays(person.pk))
    return _rows().filter(Q(host=person) | asked).distinct().order_by("-since", "-pk")


def _stays(person_id: int) -> QuerySet[Residency]:
    return Residency.objects.filter(current(), person=person_id, ended_at__isnull=True)


def own_one(actor: Actor, invitation_id: int, person_id: int | None = None) -> Invitation:
    """One visit of one's own; NotFound for those of others."""
    found = own(actor, person_id).filter(pk=invitation_id).first()
    if found is None:
        raise unknown(invitation_id)
    return found


def waiting(actor: Actor, person_id: int | None = None) -> QuerySet[Invitation]:
    """Who stands at the desk now and waits for this person's answer."""
    return own(actor, person_id).filter(state=Invitation.State.ASKED, until__gt=timezone.now())


def expected_plates(path: str, at: datetime) -> list[tuple[str, int, bool]]:
    """Plates that visitors of a place subtree gave, valid at a moment: plate, visit, whether they are inside already.

    For the barrier, not for pages.
    """
    rows = Invitation.objects.filter(place__path__startswith=path, since__lte=at, until__gt=at).exclude(plate="")
    rows = rows.filter(state__in=[Invitation.State.EXPECTED, Invitation.State.INSIDE])
    return [
        (plate, pk, state == Invitation.State.INSIDE) for plate, pk, state in rows.values_list("plate", "pk", "state")
    ]


def homes_named(actor: Actor, text: str, right: str = HANDLE) -> list[Household]:
    """Homes of the actor's places that a text names: "5-2-301" or "5 号楼 2 单元 301", also by name and number."""
    numbers = re.findall(r"[0-9A-Za-z]+", text)
    if not numbers:
        return []
    rows = limit(Household.objects.all(), actor, right).select_related("place__parent__parent")
    rows = rows.filter(number__iexact=numbers[-1]).order_by("place__path")
    wanted = [number.lstrip("0").lower() for number in numbers[:-1]]
    return [home for home in rows if _numbers(home)[len(_numbers(home)) - len(wanted) :] == wanted]


def _numbers(home: Household) -> list[str]:
    unit = home.place
    names = [unit.parent.name if unit.parent is not None else "", unit.name]
    return [number.lstrip("0").lower() for name in names for number in re.findall(r"[0-9A-Za-z]+", name)]
