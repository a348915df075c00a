from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import doors as engine
from shoufu.kernel.access.policy import require, require_anywhere
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.doors import keys
from shoufu.kernel.doors.models import Credential, DoorGroup, Pass
from shoufu.kernel.doors.services.passes import STEP_SECONDS
from shoufu.kernel.parties import identifiers
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services.common import HANDLE, act, hash_of, locked, tell_home, unknown
from shoufu.scenes.community.visitors.services.invitations import (
    DELIVERIES,
    DELIVERY,
    end,
    homes_at,
    opened,
    sealed,
    settle_answer,
)

State = Invitation.State
ANSWER_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class WalkIn:
    """Somebody stands at the desk: who, to which home ("5-2-301"), why. A delivery needs no answer."""

    home: str
    visitor: str = ""
    kind: str = Invitation.Kind.VISITOR
    reason: str = ""
    phone: str = ""
    people: int = 1


@transaction.atomic
def walk_in(actor: Actor, draft: WalkIn) -> tuple[Invitation, int]:
    """Note somebody without an invitation; the visit and how many accounts were asked (or told of a delivery).

    A visitor waits for the home's answer (`answer`, or `answer_by_desk` after a call); a delivery is let in at once.
    """
    require_anywhere(actor, HANDLE)
    home = homes_at(actor, draft.home)
    errors = []
    delivery = draft.kind in DELIVERIES
    if draft.kind not in Invitation.Kind.values:
        errors.append(FieldError("kind", _("Choose one of: %(all)s.") % {"all": ", ".join(Invitation.Kind.values)}))
    if not delivery and not draft.visitor.strip():
        errors.append(FieldError("visitor", _("Say who is there; the resident decides by the name.")))
    if not 1 <= draft.people <= 50:
        errors.append(FieldError("people", _("Between 1 and 50 people.")))
    phone = identifiers.phone(draft.phone) if draft.phone.strip() else ""
    if errors:
        raise Invalid(*errors)
    now = timezone.now()
    row = Invitation.objects.create(
        household=home,
        place=home.place,
        kind=draft.kind,
        visitor=draft.visitor.strip()[:80],
        reason=draft.reason.strip()[:120],
        people=draft.people,
        since=now,
        until=now + (DELIVERY if delivery else ANSWER_WITHIN),
        maximum=1,
        state=State.INSIDE if delivery else State.ASKED,
        arrived_at=now if delivery else None,
        at_desk=True,
        invited_by_id=actor.user_id,
    )
    if phone:
        row.phone = sealed(row, phone)
        row.save(update_fields=["phone"])
    record(actor, act("visitors.delivery" if delivery else "visitors.walk_in", row))
    told = tell_home(actor, row, "visitor.delivery" if delivery else "visitor.asks", "came")
    return row, told


def _at_desk(actor: Actor, invitation_id: int) -> Invitation:
    row = locked(invitation_id)
    if not actor.may(HANDLE, row.place.path):
        if not actor.may("visitors.view", row.place.path):
            raise unknown(invitation_id)
        require(actor, HANDLE, row.place)
    return row


@transaction.atomic
def answer_by_desk(actor: Actor, invitation_id: int, *, let_in: bool, reason: str) -> Invitation:
    """The guard asked the home by intercom or phone and notes the answer; `reason` says how it was asked."""
    row = _at_desk(actor, invitation_id)
    if row.state != State.ASKED:
        raise Conflict(_("This was already answered: %(state)s.") % {"state": row.get_state_display()})
    if not reason.strip():
        raise Invalid.one("reason", _("Say how the resident was asked, such as: by intercom."))
    settle_answer(actor, row, let_in=let_in, host=None, reason=reason.strip())
    return row


@transaction.atomic
def check_in(actor: Actor, invitation_id: int) -> Invitation:
    """The guard lets an expected visitor in; the home is told."""
    row = _at_desk(actor, invitation_id)
    problem = _why_not(row)
    if problem:
        raise Conflict(problem)
    row.state, row.arrived_at = State.INSIDE, timezone.now()
    row.save(update_fields=["state", "arrived_at"])
    record(actor, act("visitors.check_in", row))
    tell_home(actor, row, "visitor.arrived", f"arrived:{row.arrived_at:%Y%m%d%H%M}")
    return row


def _why_not(row: Invitation) -> str:
    now = timezone.now()
    if row.state == State.INSIDE:
        return _("This visitor is inside already. Two people may be using one code: ask who it is.")
    if row.state != State.EXPECTED:
        return _("This visit is not open: %(state)s.") % {"state": row.get_state_display()}
    if now < row.since:
        return _("This visit begins later; ask the resident.")
    if now >= row.until:
        return _("The time of this visit is over; ask the resident for a new invitation.")
    return ""


@transaction.atomic
def check_out(actor: Actor, invitation_id: int) -> Invitation:
    """The guard sees the visitor leave."""
    row = _at_desk(actor, invitation_id)
    if row.state != State.INSIDE:
        raise Conflict(_("This visitor is not inside."))
    end(actor, row, State.LEFT)
    record(actor, act("visitors.check_out", row))
    return row


@transaction.atomic
def look_phone(actor: Actor, invitation_id: int, reason: str) -> str:
    """A visitor's phone number in clear. Leaves an audit entry with the reason, which the host can read."""
    row = _at_desk(actor, invitation_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why you look; the person can read it."))
    record(actor, act("visitors.look_phone", row, reason.strip()))
    return opened(row)


class Verdict(StrEnum):
    GOOD = "good"
    NOT_OURS = "not_ours"
    FORGED = "forged"
    EXPIRED = "expired"
    EARLY = "early"
    STALE = "stale"
    REPLAYED = "replayed"
    WITHDRAWN = "withdrawn"
    USED_UP = "used_up"
    INSIDE = "inside"
    ELSEWHERE = "elsewhere"
    RESIDENT = "resident"


@dataclass(frozen=True)
class Checked:
    """What the desk learns of a code: a verdict, the visit where it may be named, and a sentence for the guard."""

    verdict: Verdict
    sentence: str
    invitation: Invitation | None = None

    @property
    def good(self) -> bool:
        return self.verdict == Verdict.GOOD


def sentence_of(verdict: Verdict) -> str:
    """What a verdict means and what to do, in one sentence."""
    return {
        Verdict.GOOD: _("The code is genuine and valid now."),
        Verdict.NOT_OURS: _("This is not one of our codes; ask for the visitor's page or look in the list."),
        Verdict.FORGED: _("This code is forged: its seal is wrong. Let nobody in by it and ask the resident."),
        Verdict.EXPIRED: _("The time of this visit is over; ask the resident for a new invitation."),
        Verdict.EARLY: _("This visit begins later; ask the resident."),
        Verdict.STALE: _("This code is more than a minute old, perhaps a copied picture: ask for the live page."),
        Verdict.REPLAYED: _("This very code was shown here already: it may be copied. Ask who it is."),
        Verdict.WITHDRAWN: _("The resident has withdrawn this invitation."),
        Verdict.USED_UP: _("All passes of this invitation are used."),
        Verdict.INSIDE: _("This visitor is inside already. Two people may be using one code: ask who it is."),
        Verdict.ELSEWHERE: _("This code is for another compound."),
        Verdict.RESIDENT: _("This is a resident's own code; it opens their doors."),
    }[verdict]


@transaction.atomic
def check_code(actor: Actor, text: str, now: float | None = None) -> Checked:
    """Judge what a desk's scanner read: a visitor's rotating code, or the address of their page.

    Every check leaves an audit entry with its verdict. A genuine code is taken once: the same one again is a copy.
    """
    require_anywhere(actor, HANDLE)
    if not text.strip():
        raise Invalid.one("code", _("Scan the code, or type what the scanner reads."))
    moment = timezone.now().timestamp() if now is None else now
    # A blank is a letter of base45: only what a scanner adds at the end goes.
    verdict, row = _judge(actor, text.strip("\r\n\t"), moment)
    if row is not None and not actor.may(HANDLE, row.place.path):
        verdict, row = Verdict.ELSEWHERE, None
    if row is None:
        entry = Act("visitors.check", object_type="community_visitors.invitation", data={"verdict": verdict})
    else:
        entry = act("visitors.check", row, verdict=verdict)
    record(actor, entry)
    return Checked(verdict, sentence_of(verdict), row)


def _judge(actor: Actor, text: str, now: float) -> tuple[Verdict, Invitation | None]:
    if "/v/" in text:
        token = text.strip().rstrip("/").rpartition("/")[2]
        row = Invitation.objects.filter(token_hash=hash_of(token)).values_list("pk", flat=True).first()
        if row is None:
            return Verdict.NOT_OURS, None
        found = locked(row)
        return _state(found, now), found
    try:
        code = engine.read_code(text.upper())
    except engine.QrError:
        return Verdict.NOT_OURS, None
    if isinstance(code, engine.VisitorCode):
        credential = int.from_bytes(code.claims.pass_id, "big")
    else:
        credential = int.from_bytes(code.credential_id, "big")
    issued = Credential.objects.select_related("place").filter(pk=credential).first()
    group = DoorGroup.objects.select_related("place").filter(place=issued.place_id).first() if issued else None
    if issued is None or group is None or not code.genuine(keys.qr_key(group.place.code, group.epoch)):
        return Verdict.FORGED, None
    if issued.person_id is not None:
        return Verdict.RESIDENT, None
    row_id = Invitation.objects.filter(visit=issued.pk).values_list("pk", flat=True).first()
    if row_id is None:
        return Verdict.ELSEWHERE, None
    found = locked(row_id)
    step = int(now // STEP_SECONDS)
    verdict = _state(found, now)
    if verdict == Verdict.GOOD and abs(code.step - step) > 1:
        verdict = Verdict.STALE
    if verdict == Verdict.GOOD and code.step <= found.last_step:
        verdict = Verdict.REPLAYED
    if verdict == Verdict.GOOD and actor.may(HANDLE, found.place.path):
        found.last_step = code.step
        found.save(update_fields=["last_step"])
    return verdict, found


def _state(row: Invitation, now: float) -> Verdict:
    if row.state in (State.WITHDRAWN, State.REFUSED):
        return Verdict.WITHDRAWN
    if row.until.timestamp() <= now or row.state in (State.OVER, State.LEFT):
        return Verdict.EXPIRED
    if row.since.timestamp() > now:
        return Verdict.EARLY
    visit: Pass | None = row.visit
    if visit is not None and visit.maximum is not None and visit.uses >= visit.maximum:
        return Verdict.USED_UP
    return Verdict.INSIDE if row.state == State.INSIDE else Verdict.GOOD
