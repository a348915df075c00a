"""What the receivers do with a referral: at their console here, by the API, or by a signed callback."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.referrals import selectors
from shoufu.kernel.referrals.models import Referral
from shoufu.kernel.referrals.services.lines import say
from shoufu.kernel.referrals.telling import tell_senders
from shoufu.kernel.referrals.terms import read_terms

State = Referral.State


@dataclass(frozen=True)
class Answer:
    """What a receiver says: who (`by`, empty: the actor), their own reference number, words, how it ended."""

    by: str = ""
    reference: str = ""
    text: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Step:
    allowed: frozenset[str]
    target: str
    stamp: str


STEPS: Mapping[str, Step] = {
    "received": Step(frozenset({State.SENT}), State.RECEIVED, "received_at"),
    "accepted": Step(frozenset({State.SENT, State.RECEIVED}), State.ACCEPTED, "accepted_at"),
    "refused": Step(frozenset({State.SENT, State.RECEIVED, State.ACCEPTED}), State.REFUSED, "ended_at"),
    "ended": Step(frozenset({State.SENT, State.RECEIVED, State.ACCEPTED}), State.ENDED, "ended_at"),
}


def advance(actor: Actor, referral: Referral, name: str, answer: Answer) -> Referral:
    """Carry out a step on a locked referral: state, line, audit, notices, and what the outcome does to the case."""
    step = STEPS[name]
    if referral.state not in step.allowed:
        raise Conflict(
            _("This cannot be done to a referral that is “%(state)s”.") % {"state": referral.get_state_display()},
            version=referral.version,
            state=referral.state,
        )
    _check(name, answer)
    now = timezone.now()
    referral.state = step.target
    setattr(referral, step.stamp, now)
    referral.received_at = referral.received_at or now
    referral.handled_by = (answer.by or actor.label)[:120]
    referral.their_reference = answer.reference.strip()[:64] or referral.their_reference
    if name == "ended":
        referral.outcome, referral.outcome_text = answer.outcome, answer.text.strip()[:300]
    elif name == "refused":
        referral.outcome_text = answer.text.strip()[:300]
    referral.version += 1
    referral.save()
    say(referral, actor, name, _words(referral, answer), answer.by)
    data = {"number": referral.number, "reference": referral.their_reference, "outcome": referral.outcome}
    record(actor, Act(f"referrals.{name}", referral, referral.case.place_id, answer.text[:200], data))
    if name in ("refused", "ended"):
        tell_senders(SYSTEM, f"referral.{name}", referral)
    if name == "ended":
        _settle(referral)
    publish_on_commit("live.referral", {"path": referral.case.place.path, "event": name, "id": str(referral.pk)})
    return referral


def _check(name: str, answer: Answer) -> None:
    if name == "refused" and not answer.text.strip():
        raise Invalid.one("text", _("Say why it is refused."))
    if name != "ended":
        return
    if answer.outcome not in Referral.Outcome.values:
        kinds = ", ".join(Referral.Outcome.values)
        raise Invalid.one("outcome", _("Use one of: %(kinds)s.") % {"kinds": kinds})
    if not answer.text.strip():
        raise Invalid.one("text", _("Say in a few words what came of it."))


def _words(referral: Referral, answer: Answer) -> str:
    parts = [answer.reference.strip(), answer.text.strip()]
    if answer.outcome:
        parts.insert(0, str(referral.get_outcome_display()))
    return " · ".join(part for part in parts if part)


def _settle(referral: Referral) -> None:
    """Where it was agreed so, the outcome resolves the case, or calls it a false alarm; a finished one stays."""
    destination, case = referral.destination, Case.objects.get(pk=referral.case_id)
    if not read_terms(destination.policy).closes or case.state not in Case.OPEN:
        return
    them = Actor(SYSTEM.kind, "", destination.name)
    text = referral.outcome_text
    if referral.outcome == Referral.Outcome.FALSE_ALARM:
        cases.false_alarm(them, case.pk, reason=text)
        return
    if referral.outcome == Referral.Outcome.PASSED_ON:
        return
    if case.state == Case.State.NEW:
        cases.acknowledge(them, case.pk)
    cases.resolve(them, case.pk, outcome=text)


def locked_inbox(actor: Actor, referral_id: int) -> Referral:
    """A referral to the actor's organisation, locked with its case; NotFound where it was sent to others."""
    found = selectors.inbox(actor).select_for_update(of=("self",)).filter(pk=referral_id).first()
    if found is None:
        raise NotFound(_("There is no referral %(id)s that you may see.") % {"id": referral_id})
    return found


def _version(referral: Referral, version: int | None) -> None:
    if version is not None and referral.version != version:
        said = _("%(who)s was first: “%(state)s”. Nothing of yours was changed.")
        words = {"who": referral.handled_by or referral.sent_by, "state": referral.get_state_display()}
        raise Conflict(said % words, version=referral.version, state=referral.state)


@transaction.atomic
def _step(actor: Actor, referral_id: int, version: int | None, name: str, answer: Answer) -> Referral:
    referral = locked_inbox(actor, referral_id)
    _version(referral, version)
    return advance(actor, referral, name, answer)


def receive(actor: Actor, referral_id: int, version: int | None = None, *, reference: str = "") -> Referral:
    """Say that the case has arrived and is being looked at; `reference` is the receivers' own number."""
    return _step(actor, referral_id, version, "received", Answer(reference=reference))


def accept(
    actor: Actor, referral_id: int, version: int | None = None, *, reference: str = "", text: str = ""
) -> Referral:
    """Take the case over."""
    return _step(actor, referral_id, version, "accepted", Answer(reference=reference, text=text))


def refuse(actor: Actor, referral_id: int, version: int | None = None, *, text: str) -> Referral:
    """Send the case back, and say why."""
    return _step(actor, referral_id, version, "refused", Answer(text=text))


def end(actor: Actor, referral_id: int, version: int | None = None, *, outcome: str, text: str) -> Referral:
    """Say what came of it (`Referral.Outcome`); by what was agreed with the destination this resolves the case."""
    return _step(actor, referral_id, version, "ended", Answer(outcome=outcome, text=text))


def record_look(actor: Actor, referral: Referral, media: MediaObject | None = None) -> None:
    """Note that an officer opened a referred case, or a picture or clip of it."""
    if media is None:
        record(actor, Act("referrals.look", referral, referral.case.place_id, data={"case": referral.case_id}))
        return
    record(actor, Act("media.look", media, media.place_id, data={"referral": referral.number}))
