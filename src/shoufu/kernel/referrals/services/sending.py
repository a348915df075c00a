from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.models import Case
from shoufu.kernel.referrals import messages
from shoufu.kernel.referrals.models import Destination, Message, Policy, Referral
from shoufu.kernel.referrals.services.lines import say
from shoufu.kernel.referrals.telling import tell_officers
from shoufu.kernel.referrals.terms import read_terms

SEND = "referrals.send"


@dataclass(frozen=True)
class Draft:
    """A case to send: to which destination, why, whom to call. `exercise` marks a drill that the receivers know of."""

    case_id: int
    destination_id: int
    reason: str
    contact: str = ""
    exercise: bool = False


def _case(actor: Actor, case_id: int) -> Case:
    rows = limit(Case.objects.select_related("place", "device"), actor, "cases.view")
    case = rows.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": case_id})
    require(actor, SEND, case.place)
    return case


def _destination(case: Case, destination_id: int) -> Destination:
    found = Destination.objects.select_related("place", "organisation").filter(pk=destination_id).first()
    if found is None or not case.place.path.startswith(found.place.path):
        raise Invalid.one("destination", _("Choose one of the organisations that serve this place."))
    if not found.active:
        raise Invalid.one("destination", _("This organisation takes no cases at present."))
    return found


@transaction.atomic
def refer(actor: Actor, draft: Draft, policy: Policy | None = None) -> Referral:
    """Send a case to another organisation. Refuses a second one there while the first is open (Conflict)."""
    case = _case(actor, draft.case_id)
    destination = _destination(case, draft.destination_id)
    if not draft.reason.strip():
        raise Invalid.one("reason", _("Say in a few words why they are needed."))
    earlier = list(Referral.objects.filter(case=case).values_list("destination_id", "state"))
    if any(to == destination.pk and state in Referral.OPEN for to, state in earlier):
        raise Conflict(_("This case is with %(name)s already.") % {"name": destination.name})
    made = Referral.objects.create(
        number=f"R-{case.number.removeprefix('C-')}-{len(earlier) + 1}",
        case=case,
        destination=destination,
        policy=policy,
        exercise=draft.exercise,
        duress="duress" in case.kind,
        reason=draft.reason.strip()[:200],
        contact=messages.sealed_contact(draft.contact.strip() or read_terms(destination.policy).contact),
        sent_by=actor.label,
        sent_at=timezone.now(),
        case_version=case.version,
    )
    _send(made, Message.Kind.ALERT)
    say(made, actor, "sent", made.reason)
    data = {"number": made.number, "destination": destination.code, "policy": policy.pk if policy else None}
    record(actor, Act("referrals.refer", made, case.place_id, made.reason, data))
    return made


def _send(referral: Referral, kind: str, note: str = "") -> None:
    """To a webhook's queue, or to the officers who work here."""
    if referral.destination.channel == Destination.Channel.CONSOLE:
        if kind == Message.Kind.ALERT:
            referral.delivered_at = timezone.now()
            referral.save(update_fields=["delivered_at"])
        tell_officers(SYSTEM, f"referral.{kind}", referral)
        return
    identifier = f"{referral.number}.{referral.messages.count() + 1}"
    alert = messages.compose(referral, kind, identifier, timezone.now(), note)
    messages.queue(referral.destination, kind, identifier, alert, referral)


def locked(actor: Actor, referral_id: int, permission: str = SEND) -> Referral:
    """The referral and its case, locked; NotFound where the actor may not see it."""
    rows = limit(Referral.objects.all(), actor, "referrals.view", "case__place__path")
    rows = rows.select_related("case__place", "case__device", "destination__place", "destination__organisation")
    found = rows.select_for_update(of=("self", "case")).filter(pk=referral_id).first()
    if found is None:
        raise NotFound(_("There is no referral %(id)s that you may see.") % {"id": referral_id})
    require(actor, permission, found.case.place)
    return found


@transaction.atomic
def withdraw(actor: Actor, referral_id: int, reason: str) -> Referral:
    """Take a referral back: the receiver gets a cancellation."""
    referral = locked(actor, referral_id)
    if referral.state not in Referral.OPEN:
        raise Conflict(_("This referral has ended already."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it is taken back."))
    referral.state, referral.ended_at = Referral.State.WITHDRAWN, timezone.now()
    referral.version += 1
    referral.save()
    _send(referral, Message.Kind.CANCEL, reason.strip())
    say(referral, actor, "withdrawn", reason.strip())
    record(actor, Act("referrals.withdraw", referral, referral.case.place_id, reason.strip()))
    return referral


@transaction.atomic
def tell_changes(now: datetime | None = None, most: int = 200) -> int:
    """Tell receivers of open referrals what changed in the cases since; one update however much. Returns how many.

    A case that was called a false alarm or merged here withdraws its referral.
    """
    rows = Referral.objects.filter(state__in=Referral.OPEN).exclude(case_version=_case_version())  # type: ignore[misc]
    rows = rows.select_related("case__place", "case__device", "destination__place", "destination__organisation")
    chosen = list(rows.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:most])
    for referral in chosen:
        referral.case_version = referral.case.version
        over = referral.case.state in (Case.State.FALSE_ALARM, Case.State.MERGED)
        if over:
            referral.state, referral.ended_at = Referral.State.WITHDRAWN, now or timezone.now()
            referral.version += 1
        referral.save()
        _send(referral, Message.Kind.CANCEL if over else Message.Kind.UPDATE)
        if over:
            say(referral, SYSTEM, "withdrawn", referral.case.outcome)
    return len(chosen)


def _case_version() -> object:
    from django.db.models import F

    return F("case__version")


@transaction.atomic
def send_test(actor: Actor, destination_id: int, kind: str = Message.Kind.TEST) -> Message | None:
    """Send a marked test now. To a console it is a notice (None); a webhook gets a CAP message of status Test."""
    rows = limit(Destination.objects.select_related("place", "organisation"), actor, "referrals.manage")
    destination = rows.select_for_update(of=("self",)).filter(pk=destination_id).first()
    if destination is None:
        raise NotFound(_("There is no destination %(id)s that you may see.") % {"id": destination_id})
    made = queue_test(destination, kind)
    if kind == Message.Kind.TEST:
        record(actor, Act("referrals.test", destination, destination.place_id))
    return made


def queue_test(destination: Destination, kind: str) -> Message | None:
    """A test or a heartbeat for a locked destination."""
    if kind == Message.Kind.TEST:
        destination.tested_at = timezone.now()
        destination.save(update_fields=["tested_at"])
    if destination.channel == Destination.Channel.CONSOLE:
        return None
    identifier = f"{'T' if kind == Message.Kind.TEST else 'H'}-{uuid7()}"
    alert = messages.compose_test(destination, kind, identifier, timezone.now())
    return messages.queue(destination, kind, identifier, alert, None)
