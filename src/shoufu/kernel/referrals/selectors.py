from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.access.policy import limit, require_anywhere, subtree
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals.models import Destination, Message, Policy, Referral

DURESS = "doors.duress"
VIEW, RECEIVE, MANAGE = "referrals.view", "referrals.receive", "referrals.manage"
_JOINED = ("case__place__parent__parent", "case__device", "case__assignee", "destination__organisation")


def _receivers() -> QuerySet[RoleAssignment]:
    """Roles in force that work for an organisation and may receive its referrals."""
    now = timezone.now()
    roles = [code for code, role in registry.roles().items() if RECEIVE in role.permissions]
    return RoleAssignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now),
        role__in=roles,
        since__lte=now,
        organisation__isnull=False,
        user__is_active=True,
    )


def organisations_of(actor: Actor) -> list[int]:
    """The organisations for which the actor receives cases."""
    if actor.user_id is None or not actor.may_anywhere(RECEIVE):
        return []
    return list(_receivers().filter(user=actor.user_id).values_list("organisation_id", flat=True).distinct())


def officers(destination: Destination) -> list[int]:
    """Users who receive the destination's cases."""
    rows = _receivers().filter(organisation=destination.organisation_id)
    return sorted(set(rows.values_list("user_id", flat=True)))


def visible(actor: Actor) -> QuerySet[Referral]:
    """Referrals of cases in the actor's places: the senders' side.

    Those under duress show to holders of that right only: who stands beside the victim must not read of it.
    """
    rows = limit(Referral.objects.select_related(*_JOINED), actor, VIEW, "case__place__path")
    if actor.is_system:
        return rows
    return rows.filter(Q(duress=False) | subtree(actor.paths(DURESS), "case__place__path"))


def get(actor: Actor, referral_id: int) -> Referral:
    """One referral, on the senders' side; NotFound where the actor may not see it."""
    found = visible(actor).filter(pk=referral_id).first()
    if found is None:
        raise NotFound(_("There is no referral %(id)s that you may see.") % {"id": referral_id})
    return found


def of_case(actor: Actor, case: Case) -> list[Referral]:
    """The referrals of a case, newest first; the case itself is not read again."""
    rows = visible(actor).select_related(None).select_related("destination__organisation")
    found = list(rows.filter(case=case).order_by("-id"))
    for referral in found:
        referral.case = case
    return found


def inbox(actor: Actor) -> QuerySet[Referral]:
    """Referrals to the organisations that the actor works for: the receivers' side, whatever the place."""
    require_anywhere(actor, RECEIVE)
    rows = Referral.objects.filter(destination__organisation__in=organisations_of(actor))
    return rows.select_related(*_JOINED)


def received(actor: Actor, referral_id: int) -> Referral:
    """One referral on the receivers' side, with the evidence of its case; NotFound where it was sent to others."""
    found = inbox(actor).prefetch_related("case__evidence__media__device", "lines").filter(pk=referral_id).first()
    if found is None:
        raise NotFound(_("There is no referral %(id)s that you may see.") % {"id": referral_id})
    return found


def waiting(actor: Actor) -> int:
    """How many referrals nobody has received or accepted yet."""
    return inbox(actor).filter(state__in=[Referral.State.SENT, Referral.State.RECEIVED]).count()


def evidence(actor: Actor, referral_id: int, media_id: UUID) -> MediaObject:
    """A picture or clip of a case that was referred to the actor's organisation, while the referral is open or was
    accepted by them; NotFound otherwise."""
    shown = [*Referral.OPEN, Referral.State.ENDED]
    rows = inbox(actor).filter(pk=referral_id, state__in=shown)
    found = MediaObject.objects.filter(pk=media_id, evidence__case__in=rows.values("case")).first()
    if found is None:
        raise NotFound(_("There is no such picture, or you may not see it."))
    return found


def destinations(actor: Actor) -> QuerySet[Destination]:
    """Destinations that serve the actor's places or lie in them."""
    rows = Destination.objects.select_related("place", "organisation")
    if actor.is_system:
        return rows
    chosen = Q(pk__in=[])
    for path in (*actor.paths(VIEW), *actor.paths(MANAGE)):
        chosen |= Q(place__path__startswith=path) | Q(place__path__in=_above(path))
    return rows.filter(chosen).distinct()


def _above(path: str) -> list[str]:
    steps = path.strip("/").split("/")
    return ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]


def serving(place: Place) -> list[Destination]:
    """Active destinations for cases at a place, the nearest first."""
    rows = Destination.objects.filter(active=True, place__path__in=_above(place.path)).select_related("organisation")
    return sorted(rows.select_related("place"), key=lambda one: -len(one.place.path))


def destination(actor: Actor, destination_id: int) -> Destination:
    """One destination; NotFound where the actor may not see it."""
    found = destinations(actor).filter(pk=destination_id).first()
    if found is None:
        raise NotFound(_("There is no destination %(id)s that you may see.") % {"id": destination_id})
    return found


def policies(actor: Actor) -> QuerySet[Policy]:
    """Policies of the actor's places."""
    rows = Policy.objects.select_related("place", "destination")
    return limit(rows, actor, VIEW)


def policy(actor: Actor, policy_id: int) -> Policy:
    """One policy; NotFound where the actor may not see it."""
    found = policies(actor).filter(pk=policy_id).first()
    if found is None:
        raise NotFound(_("There is no policy %(id)s that you may see.") % {"id": policy_id})
    return found


def messages_of(actor: Actor, referral: Referral) -> Sequence[Message]:
    """What was sent about a referral, oldest first."""
    return list(Message.objects.filter(referral=referral, referral__in=visible(actor)).order_by("id"))


def recent_messages(actor: Actor, destination: Destination, most: int = 20) -> Sequence[Message]:
    """The newest messages to a destination."""
    rows = Message.objects.filter(destination=destination, destination__in=destinations(actor))
    return list(rows.select_related("referral").order_by("-id")[:most])
