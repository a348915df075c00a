from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.cases.lifecycle import RANK
from shoufu.kernel.cases.models import Case
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals import selectors
from shoufu.kernel.referrals.models import Policy, Referral
from shoufu.kernel.referrals.services.destinations import MANAGE
from shoufu.kernel.referrals.services.sending import Draft, refer


@dataclass(frozen=True)
class PolicyDraft:
    """Which cases of a place go to a destination by themselves; empty kinds or severities mean any."""

    destination_id: int
    place_id: int
    name: str
    kinds: Sequence[str] = ()
    severities: Sequence[str] = ()
    escalation: int = 0
    after_minutes: int = 0
    active: bool = False


def _checked(actor: Actor, draft: PolicyDraft) -> Place:
    place = limit(Place.objects.all(), actor, MANAGE, "path").filter(pk=draft.place_id).first()
    errors = []
    if place is None:
        raise Invalid.one("place", _("Choose a place whose referrals you may manage."))
    if draft.destination_id not in {one.pk for one in selectors.serving(place)}:
        errors.append(FieldError("destination", _("Choose one of the organisations that serve this place.")))
    if not draft.name.strip():
        errors.append(FieldError("name", _("Must not be empty.")))
    if unknown := sorted(set(draft.kinds) - set(registry.case_kinds())):
        errors.append(FieldError("kinds", _("There is no kind “%(kind)s”.") % {"kind": unknown[0]}))
    if set(draft.severities) - set(RANK):
        errors.append(FieldError("severities", _("Choose critical, high, medium or low.")))
    if not 0 <= draft.escalation <= 9:
        errors.append(FieldError("escalation", _("Must be a number from 0 to 9.")))
    if not 0 <= draft.after_minutes <= 10_080:
        errors.append(FieldError("after_minutes", _("Must be at most 10,080 minutes (a week).")))
    if errors:
        raise Invalid(*errors)
    return place


def _fill(row: Policy, draft: PolicyDraft, place: Place) -> None:
    row.destination_id, row.place, row.name = draft.destination_id, place, draft.name.strip()[:120]
    row.kinds, row.severities = list(draft.kinds), list(draft.severities)
    row.escalation, row.after_minutes = draft.escalation, draft.after_minutes
    # Switching on counts from now: the cases that are open already were judged by people.
    row.since = (row.since if row.active and row.since else timezone.now()) if draft.active else None
    row.active = draft.active


@transaction.atomic
def create_policy(actor: Actor, draft: PolicyDraft) -> Policy:
    """Write a policy down; it sends nothing before it is active, and no case that was open before."""
    row = Policy(author=actor.label)
    _fill(row, draft, _checked(actor, draft))
    row.save()
    record(actor, Act("referrals.policy.create", row, row.place_id, data=_told(row)))
    return row


def _locked(actor: Actor, policy_id: int) -> Policy:
    rows = limit(Policy.objects.select_related("place"), actor, MANAGE)
    found = rows.select_for_update(of=("self",)).filter(pk=policy_id).first()
    if found is None:
        raise NotFound(_("There is no policy %(id)s that you may see.") % {"id": policy_id})
    return found


@transaction.atomic
def update_policy(actor: Actor, policy_id: int, draft: PolicyDraft, version: int | None = None) -> Policy:
    """Change a policy, switch it on or off."""
    row = _locked(actor, policy_id)
    if version is not None and row.version != version:
        raise Conflict(_("Somebody changed this meanwhile; load the page again."), version=row.version)
    _fill(row, draft, _checked(actor, draft))
    row.version += 1
    row.author = actor.label
    row.save()
    record(actor, Act("referrals.policy.update", row, row.place_id, data=_told(row)))
    return row


@transaction.atomic
def remove_policy(actor: Actor, policy_id: int) -> None:
    """Remove a policy; what it sent stays."""
    row = _locked(actor, policy_id)
    record(actor, Act("referrals.policy.remove", row, row.place_id, data=_told(row)))
    row.delete()


def _told(row: Policy) -> dict[str, object]:
    names = ("kinds", "severities", "escalation", "after_minutes", "active")
    return {name: getattr(row, name) for name in names} | {"destination": row.destination_id}


def due(policy: Policy, now: datetime) -> QuerySet[Case]:
    """Open cases that the policy sends now: raised since it was switched on, never sent there before."""
    sent = Referral.objects.filter(case=OuterRef("pk"), destination=policy.destination_id)
    rows = Case.objects.filter(
        ~Exists(sent),
        state__in=Case.OPEN,
        place__path__startswith=policy.place.path,
        escalation__gte=policy.escalation,
        known_at__gte=policy.since,
        known_at__lte=now - timedelta(minutes=policy.after_minutes),
    )
    if policy.kinds:
        rows = rows.filter(kind__in=policy.kinds)
    if policy.severities:
        rows = rows.filter(severity__in=policy.severities)
    return rows.order_by("pk")


def refer_due(now: datetime | None = None, most: int = 100) -> int:
    """Send what the active policies say. Each case in a transaction of its own. Returns how many."""
    moment, count = now or timezone.now(), 0
    rows = Policy.objects.filter(active=True, destination__active=True, since__isnull=False)
    for policy in rows.select_related("place", "destination"):
        with translation.override("zh-hans"):
            reason = _("By the policy “%(name)s”") % {"name": policy.name}
        for case_id in list(due(policy, moment).values_list("pk", flat=True)[:most]):
            try:
                refer(SYSTEM, Draft(case_id, policy.destination_id, reason), policy)
            except Conflict:
                continue  # a person was first
            count += 1
    return count
