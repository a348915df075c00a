from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.doors.services import revoke_pass
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.selectors import homes
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import lent, people_of
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services.common import (
    HANDLE,
    INVITE_SCOPE,
    act,
    give_pass,
    locked,
    new_token,
    unknown,
)

MOST_OPEN = 20
LONGEST = timedelta(days=30)
LONGEST_RECURRING = timedelta(days=180)
DELIVERY = timedelta(minutes=15)
LONGER = timedelta(hours=2)
MOST_PASSES = 20
RECURRING = (Invitation.Kind.CARE, Invitation.Kind.COURIER, Invitation.Kind.CONTRACTOR)
DELIVERIES = (Invitation.Kind.COURIER, Invitation.Kind.FOOD)
State = Invitation.State


@dataclass(frozen=True)
class InviteDraft:
    """Who is expected at which home of the host, and when. `host`: a person for whom one acts; None for oneself.

    `maximum`: passes at each door. `windows` (as in `doors.Pass`) makes it recurring: for carers, couriers and
    craftspeople only, one unit, at most 180 days, and at most 62 passes.
    """

    household: int
    since: datetime
    until: datetime
    visitor: str = ""
    host: int | None = None
    kind: str = Invitation.Kind.VISITOR
    reason: str = ""
    phone: str = ""
    plate: str = ""
    people: int = 1
    maximum: int | None = 1
    windows: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Invited:
    """An invitation and the secret of its link, which is known only now."""

    invitation: Invitation
    token: str


@transaction.atomic
def invite(actor: Actor, draft: InviteDraft) -> Invited:
    """A resident, or a family member whom they let do it, expects somebody. Every wrong field is named at once."""
    require_anywhere(actor, "own.invite")
    host = privacy.subject(actor, draft.host, INVITE_SCOPE)
    home = next((one for one in homes(host.pk) if one.pk == draft.household), None)
    errors = _errors(draft)
    if home is None:
        errors.append(FieldError("household", _("Choose a home where you live.")))
    elif Invitation.objects.filter(household=home, state__in=Invitation.OPEN).count() >= MOST_OPEN:
        words = {"n": MOST_OPEN}
        errors.append(FieldError("household", _("%(n)d visits of this home are open; withdraw one first.") % words))
    phone, plate = _tidy("phone", draft.phone, errors), _tidy("plate", draft.plate, errors)
    if errors or home is None:
        raise Invalid(*errors)
    token, digest = new_token()
    row = Invitation(
        household=home,
        place=home.place,
        host=host,
        invited_by_id=actor.user_id,
        kind=draft.kind,
        visitor=draft.visitor.strip()[:80],
        reason=draft.reason.strip()[:120],
        plate=plate,
        people=draft.people,
        since=draft.since,
        until=draft.until,
        windows=[dict(window) for window in draft.windows],
        maximum=draft.maximum,
        token_hash=digest,
    )
    row.save()
    row.phone = sealed(row, phone)
    give_pass(actor, row)
    row.save(update_fields=["phone", "visit"])
    acting = privacy.myself(actor)
    record(actor, act("visitors.invite", row, acting_for=acting is None or acting.pk != host.pk))
    return Invited(row, token)


def _errors(draft: InviteDraft) -> list[FieldError]:
    errors, now = [], timezone.now()
    if draft.kind not in Invitation.Kind.values:
        errors.append(FieldError("kind", _("Choose one of: %(all)s.") % {"all": ", ".join(Invitation.Kind.values)}))
    if draft.until <= draft.since:
        errors.append(FieldError("until", _("Must lie after the beginning.")))
    elif draft.until <= now:
        errors.append(FieldError("until", _("This time is over.")))
    longest = LONGEST_RECURRING if draft.windows else DELIVERY * 8 if draft.kind in DELIVERIES else LONGEST
    if draft.until - draft.since > longest:
        told = _("%(n)d days") % {"n": longest.days} if longest.days else _("two hours")
        errors.append(FieldError("until", _("At most %(long)s.") % {"long": told}))
    if draft.windows and draft.kind not in RECURRING:
        errors.append(FieldError("kind", _("Only carers, couriers and craftspeople come again and again.")))
    most = 62 if draft.windows else MOST_PASSES
    if draft.maximum is None or not 1 <= draft.maximum <= most:
        errors.append(FieldError("maximum", _("Between 1 and %(n)d passes.") % {"n": most}))
    if not 1 <= draft.people <= 50:
        errors.append(FieldError("people", _("Between 1 and 50 people.")))
    return errors


def _tidy(name: str, text: str, errors: list[FieldError]) -> str:
    if not text.strip():
        return ""
    try:
        return identifiers.phone(text) if name == "phone" else identifiers.plate(text)
    except Invalid as refusal:
        errors += refusal.errors
        return ""


def sealed(row: Invitation, phone: str) -> bytes | None:
    """A visitor's phone number, encrypted and bound to its row."""
    return keyring.ring().encrypt(phone.encode(), _context(row)) if phone else None


def opened(row: Invitation) -> str:
    """The visitor's phone number in clear; for services that leave a trace."""
    return keyring.ring().decrypt(bytes(row.phone), _context(row)).decode() if row.phone else ""


def _context(row: Invitation) -> bytes:
    return f"visitors.phone:{row.pk}".encode()


def may_decide(actor: Actor, row: Invitation) -> bool:
    """Whether the actor lives in that home, or may invite for somebody who does."""
    people = {row.host_id} if row.host_id else people_of(row.household_id)
    return any(person and privacy.may_act_for(actor, person, INVITE_SCOPE) for person in people)


def _own(actor: Actor, invitation_id: int, *, desk: bool = False) -> Invitation:
    row = locked(invitation_id)
    if not (may_decide(actor, row) or (desk and actor.may(HANDLE, row.place.path))):
        raise unknown(invitation_id)
    return row


@transaction.atomic
def new_link(actor: Actor, invitation_id: int) -> Invited:
    """Another link for the same visit; the old one opens nothing from now on."""
    row = _own(actor, invitation_id, desk=True)
    if row.state not in (State.EXPECTED, State.INSIDE):
        raise Conflict(_("This visit is over; invite again."))
    token, row.token_hash = new_token()
    row.save(update_fields=["token_hash"])
    record(actor, act("visitors.new_link", row))
    return Invited(row, token)


@transaction.atomic
def withdraw(actor: Actor, invitation_id: int, reason: str = "") -> Invitation:
    """Take an invitation back: link and code open nothing from now on. Again: nothing changes."""
    row = _own(actor, invitation_id, desk=True)
    if row.state not in Invitation.OPEN:
        return row
    end(actor, row, State.WITHDRAWN, reason)
    record(actor, act("visitors.withdraw", row, reason.strip()))
    return row


def end(actor: Actor, row: Invitation, state: str, reason: str = "") -> None:
    """Bring a visit to an end and take its pass away."""
    row.state = state
    if state == State.LEFT:
        row.left_at = timezone.now()
    row.save(update_fields=["state", "left_at"])
    if row.visit_id is not None and row.visit is not None:
        compound = row.visit.credential.place.path
        revoke_pass(lent(actor, compound, "doors.admit"), row.visit_id, reason or str(row.get_state_display()))


@transaction.atomic
def answer(actor: Actor, invitation_id: int, *, let_in: bool) -> Invitation:
    """Somebody of the home answers the desk: may the person who stands there come in? The first answer counts."""
    row = _own(actor, invitation_id)
    if row.state != State.ASKED:
        raise Conflict(_("This was already answered: %(state)s.") % {"state": row.get_state_display()})
    settle_answer(actor, row, let_in=let_in, host=_answering(actor, row))
    return row


def _answering(actor: Actor, row: Invitation) -> int | None:
    people = sorted(people_of(row.household_id))
    me = privacy.myself(actor)
    if me is not None and me.pk in people:
        return me.pk
    return next((person for person in people if privacy.may_act_for(actor, person, INVITE_SCOPE)), None)


def settle_answer(actor: Actor, row: Invitation, *, let_in: bool, host: int | None, reason: str = "") -> None:
    """Note the answer; a yes gives a pass for four hours. The right was checked by the caller."""
    now = timezone.now()
    row.answered_at, row.host_id = now, host
    row.state = State.EXPECTED if let_in else State.REFUSED
    if let_in:
        row.since, row.until, row.maximum = now, now + timedelta(hours=4), 1
        row.save()
        give_pass(actor, row)
    row.save()
    record(actor, act("visitors.answer", row, reason, let_in=let_in))


@transaction.atomic
def stays_longer(actor: Actor, invitation_id: int) -> Invitation:
    """The host says that the visitor stays two hours longer; no door opens by it, only the reminder moves."""
    row = _own(actor, invitation_id)
    if row.state != State.INSIDE:
        raise Conflict(_("This visitor is not inside."))
    row.until, row.reminded_at = max(row.until, timezone.now()) + LONGER, None
    row.save(update_fields=["until", "reminded_at"])
    record(actor, act("visitors.longer", row))
    return row


@transaction.atomic
def has_left(actor: Actor, invitation_id: int) -> Invitation:
    """The host or the desk says that the visitor has gone."""
    row = _own(actor, invitation_id, desk=True)
    if row.state != State.INSIDE:
        raise Conflict(_("This visitor is not inside."))
    end(actor, row, State.LEFT)
    record(actor, act("visitors.left", row))
    return row


@transaction.atomic
def set_plate(token: str, plate: str) -> Invitation:
    """The visitor says by their link which car they come with (empty: none), so that the barrier knows it."""
    from shoufu.scenes.community.visitors.services.links import open_invitation

    row = locked(open_invitation(token).pk)
    row.plate = identifiers.plate(plate) if plate.strip() else ""
    row.save(update_fields=["plate"])
    record(SYSTEM, act("visitors.plate", row, given=bool(row.plate)))
    return row


def homes_at(actor: Actor, text: str, right: str = HANDLE) -> Household:
    """The home that a guard names: "5-2-301" or "5 号楼 2 单元 301"; Invalid when there is none or more than one."""
    from shoufu.scenes.community.visitors.selectors import homes_named

    found = homes_named(actor, text, right)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid.one("home", _("There is no such home; write it like 5-2-301."))
    raise Invalid.one("home", _("Several homes are called so; write building, unit and number, like 5-2-301."))
