from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases import live
from shoufu.kernel.cases.lifecycle import STEPS, case_kind, limits
from shoufu.kernel.cases.models import Case, CaseEvent, Feedback
from shoufu.kernel.cases.services.feedback import judge
from shoufu.kernel.cases.services.moves import check, locked, move, say
from shoufu.kernel.cases.telling import tell, tell_user


@transaction.atomic
def acknowledge(actor: Actor, case_id: int, version: int | None = None) -> Case:
    """The actor takes the case: it is theirs from now on. Refuses (Conflict) when somebody else was first."""
    case = locked(actor, case_id)
    check(case, version, STEPS["acknowledge"])
    case.assignee_id = actor.user_id
    return move(case, "acknowledge", actor)


@transaction.atomic
def dispatch(
    actor: Actor,
    case_id: int,
    version: int | None = None,
    *,
    user_id: int | None = None,
    role: str = "",
    text: str = "",
) -> Case:
    """Send a person, or whoever has a role at the place. The receiver must have a role there; they get a notice."""
    case = locked(actor, case_id)
    check(case, version, STEPS["dispatch"])
    if not user_id and not role:
        raise Invalid.one("receiver", _("Choose a person or a role to send."))
    data: dict[str, Any] = {"role": role}
    if user_id:
        user = _assignable(case, user_id)
        case.assignee, data = user, {"user": user.label, "role": role}
    elif role not in registry.roles():
        raise Invalid.one("role", _("There is no role “%(role)s”.") % {"role": role})
    else:
        case.assignee = None
    case.role = role or case.role
    move(case, "dispatch", actor, text, data)
    if user_id:
        tell_user(actor, "case.dispatched", case, user_id)
    else:
        tell(actor, "case.dispatched", [(case, (role,))])
    return case


def _assignable(case: Case, user_id: int) -> User:
    from shoufu.kernel.cases.selectors import assignable_users

    user = assignable_users(case).filter(pk=user_id).first()
    if user is None:
        raise Invalid.one("receiver", _("This person has no role at %(place)s.") % {"place": case.place.label})
    return user


@transaction.atomic
def resolve(actor: Actor, case_id: int, version: int | None = None, *, outcome: str) -> Case:
    """The matter is dealt with; `outcome` says how, in a few words."""
    case = locked(actor, case_id)
    check(case, version, STEPS["resolve"])
    if not outcome.strip():
        raise Invalid.one("outcome", _("Say in a few words how it was resolved."))
    case.outcome = outcome.strip()[:200]
    return move(case, "resolve", actor, outcome.strip())


@transaction.atomic
def close(actor: Actor, case_id: int, version: int | None = None, *, text: str = "") -> Case:
    """File a resolved case."""
    case = locked(actor, case_id)
    check(case, version, STEPS["close"])
    return move(case, "close", actor, text)


@transaction.atomic
def false_alarm(actor: Actor, case_id: int, version: int | None = None, *, reason: str) -> Case:
    """Nothing was the matter; the reason becomes feedback on the rule that raised it."""
    case = locked(actor, case_id)
    check(case, version, STEPS["false_alarm"])
    if not reason.strip():
        raise Invalid.one("reason", _("Say what it was instead."))
    case.outcome = reason.strip()[:200]
    case.assignee_id = case.assignee_id or actor.user_id
    move(case, "false_alarm", actor, reason.strip())
    judge(actor, case, Feedback.Verdict.FALSE_ALARM, reason)
    return case


@transaction.atomic
def merge(actor: Actor, case_id: int, version: int | None = None, *, into: int) -> Case:
    """The case is the same deed as another one: evidence stays where it is, the timeline shows both."""
    if case_id == into:
        raise Invalid.one("into", _("A case cannot be merged into itself."))
    # Both rows are locked in the order of their ids, so that two merges cannot wait for each other.
    both = {one: locked(actor, one) for one in sorted((case_id, into))}
    case, target = both[case_id], both[into]
    check(case, version, STEPS["merge"])
    if target.state == Case.State.MERGED:
        raise Invalid.one("into", _("Case %(number)s is itself merged; choose its target.") % {"number": target.number})
    case.merged_into = target
    move(case, "merge", actor, target.number, {"into": target.number})
    say(target, CaseEvent.Kind.NOTE, actor, case.number, {"merged": case.number})
    target.version += 1
    target.occurrences += case.occurrences
    target.save(update_fields=["version", "occurrences"])
    live.publish([target], "merged")
    return case


@transaction.atomic
def reopen(actor: Actor, case_id: int, version: int | None = None, *, reason: str) -> Case:
    """Take a finished case up again; its clocks start anew."""
    case = locked(actor, case_id)
    check(case, version, STEPS["reopen"])
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it is taken up again."))
    case.resolve_by = limits(case_kind(case.kind), case.severity, timezone.now())[1]
    case.assignee_id, case.escalation, case.outcome = actor.user_id, 0, ""
    case.resolved_at = case.closed_at = None
    return move(case, "reopen", actor, reason.strip())
