from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.cases import live
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.lifecycle import RANK, STEPS, Step, case_kind, due, limits
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence, Feedback, Severity
from shoufu.kernel.cases.raising import RaisedCase, raise_cases, take_numbers
from shoufu.kernel.cases.telling import tell, tell_user
from shoufu.kernel.places.models import Place

__all__ = [
    "RaisedCase",
    "raise_cases",
    "report",
    "acknowledge",
    "dispatch",
    "resolve",
    "close",
    "false_alarm",
    "merge",
    "reopen",
    "note",
    "attach",
    "give_feedback",
    "escalate_overdue",
    "acknowledge_many",
    "false_alarm_many",
]


def _locked(actor: Actor, case_id: int) -> Case:
    rows = limit(Case.objects.select_related("place"), actor, "cases.view")
    case = rows.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": case_id})
    require(actor, "cases.handle", case.place)
    return case


def _meanwhile(case: Case) -> Conflict:
    """Who was first and what they did, in the reader's words, with the case as it is now."""
    last = case.events.exclude(kind__in=[CaseEvent.Kind.NOTICE, CaseEvent.Kind.EVIDENCE]).order_by("-id").first()
    words = {
        "who": last.actor if last else "",
        "what": last.get_kind_display() if last else case.get_state_display(),
        "state": case.get_state_display(),
    }
    return Conflict(
        _("%(who)s was first: “%(what)s”. The case is now “%(state)s”; nothing of yours was changed.") % words,
        version=case.version,
        state=case.state,
        by=words["who"],
    )


def _check(case: Case, version: int | None, step: Step) -> None:
    if version is not None and case.version != version:
        raise _meanwhile(case)
    if case.state not in step.allowed:
        raise Conflict(
            _("This cannot be done to a case that is “%(state)s”.") % {"state": case.get_state_display()},
            version=case.version,
            state=case.state,
        )


def _say(case: Case, kind: str, actor: Actor, text: str = "", data: Mapping[str, Any] | None = None) -> CaseEvent:
    now = timezone.now()
    return CaseEvent.objects.create(
        case=case, kind=kind, at=now, known=now, actor=actor.label, text=text, data=dict(data or {})
    )


def _move(case: Case, name: str, actor: Actor, text: str = "", data: Mapping[str, Any] | None = None) -> Case:
    """Carry out a step on a locked and checked case: state, clocks, timeline, audit, live."""
    step, now = STEPS[name], timezone.now()
    before, case.state = case.state, step.target
    if step.stamp:
        setattr(case, step.stamp, now)
    if step.target == Case.State.DISPATCHED and case.acknowledged_at is None:
        case.acknowledged_at = now
    case.version += 1
    case.due_at = due(case)
    case.save()
    _say(case, step.event, actor, text, data)
    record(
        actor,
        Act(f"cases.{name}", case, case.place_id, text[:200], {"from": before, "to": case.state, **(data or {})}),
    )
    live.publish([case], name)
    return case


@dataclass(frozen=True)
class CaseReport:
    """A case that a person reports: what, where, how urgent."""

    place_id: int
    title: str
    severity: str = Severity.MEDIUM
    kind: str = "manual"
    text: str = ""


@transaction.atomic
def report(actor: Actor, draft: CaseReport) -> Case:
    """A person raises a case by hand. Refuses an empty title and places where the actor may not handle cases."""
    place = limit(Place.objects.all(), actor, "cases.handle", "path").filter(pk=draft.place_id).first()
    if place is None:
        raise Invalid.one("place", _("Choose a place where you may handle cases."))
    if not draft.title.strip():
        raise Invalid.one("title", _("Say in a few words what happened."))
    if draft.severity not in RANK:
        raise Invalid.one("severity", _("Choose critical, high, medium or low."))
    now, kind = timezone.now(), case_kind(draft.kind)
    acknowledge_by, resolve_by = limits(kind, draft.severity, now)
    case = Case.objects.create(
        number=take_numbers([timezone.localdate()])[0],
        kind=draft.kind,
        title=draft.title.strip()[:160],
        title_en=draft.title.strip()[:160],
        severity=draft.severity,
        severity_rank=RANK[draft.severity],
        place=place,
        opened_at=now,
        known_at=now,
        last_at=now,
        acknowledge_by=acknowledge_by,
        resolve_by=resolve_by,
        due_at=acknowledge_by,
        role=kind.role,
    )
    _say(case, CaseEvent.Kind.RAISED, actor, draft.text)
    record(actor, Act("cases.report", case, place.pk, data={"number": case.number, "title": case.title}))
    tell(actor, "case.raised", [(case, (kind.role,))])
    live.publish([case], "raised")
    return case


@transaction.atomic
def acknowledge(actor: Actor, case_id: int, version: int | None = None) -> Case:
    """The actor takes the case: it is theirs from now on. Refuses (Conflict) when somebody else was first."""
    case = _locked(actor, case_id)
    _check(case, version, STEPS["acknowledge"])
    case.assignee_id = actor.user_id
    return _move(case, "acknowledge", actor)


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
    case = _locked(actor, case_id)
    _check(case, version, STEPS["dispatch"])
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
    _move(case, "dispatch", actor, text, data)
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
    case = _locked(actor, case_id)
    _check(case, version, STEPS["resolve"])
    if not outcome.strip():
        raise Invalid.one("outcome", _("Say in a few words how it was resolved."))
    case.outcome = outcome.strip()[:200]
    return _move(case, "resolve", actor, outcome.strip())


@transaction.atomic
def close(actor: Actor, case_id: int, version: int | None = None, *, text: str = "") -> Case:
    """File a resolved case."""
    case = _locked(actor, case_id)
    _check(case, version, STEPS["close"])
    return _move(case, "close", actor, text)


@transaction.atomic
def false_alarm(actor: Actor, case_id: int, version: int | None = None, *, reason: str) -> Case:
    """Nothing was the matter; the reason becomes feedback on the rule that raised it."""
    case = _locked(actor, case_id)
    _check(case, version, STEPS["false_alarm"])
    if not reason.strip():
        raise Invalid.one("reason", _("Say what it was instead."))
    case.outcome = reason.strip()[:200]
    case.assignee_id = case.assignee_id or actor.user_id
    _move(case, "false_alarm", actor, reason.strip())
    _feedback(actor, case, Feedback.Verdict.FALSE_ALARM, reason)
    return case


@transaction.atomic
def merge(actor: Actor, case_id: int, version: int | None = None, *, into: int) -> Case:
    """The case is the same deed as another one: evidence stays where it is, the timeline shows both."""
    if case_id == into:
        raise Invalid.one("into", _("A case cannot be merged into itself."))
    # Both rows are locked in the order of their ids, so that two merges cannot wait for each other.
    locked = {one: _locked(actor, one) for one in sorted((case_id, into))}
    case, target = locked[case_id], locked[into]
    _check(case, version, STEPS["merge"])
    if target.state == Case.State.MERGED:
        raise Invalid.one("into", _("Case %(number)s is itself merged; choose its target.") % {"number": target.number})
    case.merged_into = target
    _move(case, "merge", actor, target.number, {"into": target.number})
    _say(target, CaseEvent.Kind.NOTE, actor, case.number, {"merged": case.number})
    target.version += 1
    target.occurrences += case.occurrences
    target.save(update_fields=["version", "occurrences"])
    live.publish([target], "merged")
    return case


@transaction.atomic
def reopen(actor: Actor, case_id: int, version: int | None = None, *, reason: str) -> Case:
    """Take a finished case up again; its clocks start anew."""
    case = _locked(actor, case_id)
    _check(case, version, STEPS["reopen"])
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it is taken up again."))
    case.resolve_by = limits(case_kind(case.kind), case.severity, timezone.now())[1]
    case.assignee_id, case.escalation, case.outcome = actor.user_id, 0, ""
    case.resolved_at = case.closed_at = None
    return _move(case, "reopen", actor, reason.strip())


@transaction.atomic
def note(actor: Actor, case_id: int, text: str) -> CaseEvent:
    """Write a line into the timeline; needs no version, since it overwrites nothing."""
    case = _locked(actor, case_id)
    if not text.strip():
        raise Invalid.one("text", _("Write something first."))
    event = _say(case, CaseEvent.Kind.NOTE, actor, text.strip())
    record(actor, Act("cases.note", case, case.place_id))
    live.publish([case], "note")
    return event


@transaction.atomic
def attach(actor: Actor, case_id: int, media_id: UUID, at: datetime) -> list[Evidence]:
    """Add a media object that the actor may see to the evidence."""
    from shoufu.kernel.media.selectors import get as get_media

    case = _locked(actor, case_id)
    media = get_media(actor, media_id)
    made = attach_many([(case, Exhibit(media.kind, at, media=media.pk))])
    _say(case, CaseEvent.Kind.EVIDENCE, actor, data={"media": str(media.pk)})
    record(actor, Act("cases.evidence", case, case.place_id, data={"media": str(media.pk)}))
    live.publish([case], "evidence")
    return made


def _feedback(actor: Actor, case: Case, verdict: str, text: str) -> Feedback:
    rule = case.rule_version.rule_id if case.rule_version_id and case.rule_version else None
    return Feedback.objects.update_or_create(
        case=case,
        defaults={"rule_id": rule, "verdict": verdict, "text": text[:300], "author_id": actor.user_id},
    )[0]


@transaction.atomic
def give_feedback(actor: Actor, case_id: int, verdict: str, text: str = "") -> Feedback:
    """Say what the rule that raised the case is worth: useful, false alarm, too late, too often."""
    case = _locked(actor, case_id)
    if verdict not in Feedback.Verdict.values:
        raise Invalid.one("verdict", _("Choose one of the verdicts offered."))
    made = _feedback(actor, case, verdict, text)
    record(actor, Act("cases.feedback", case, case.place_id, data={"verdict": verdict}))
    return made


def _many(actor: Actor, ids: Sequence[int], name: str, text: str = "") -> tuple[list[Case], list[int]]:
    """Carry out a step on every one of the cases that it can be done to; returns them, and the ids left alone."""
    step, now = STEPS[name], timezone.now()
    rows = limit(Case.objects.select_related("place"), actor, "cases.handle").filter(pk__in=ids)
    cases = [case for case in rows.order_by("pk").select_for_update(of=("self",)) if case.state in step.allowed]
    for case in cases:
        case.state = step.target
        setattr(case, step.stamp, now)
        case.version += 1
        case.due_at = due(case)
        case.assignee_id = case.assignee_id or actor.user_id
        case.outcome = text[:200] or case.outcome
    Case.objects.bulk_update(cases, ["state", step.stamp, "version", "due_at", "assignee", "outcome"])
    CaseEvent.objects.bulk_create(
        [CaseEvent(case=case, kind=step.event, at=now, known=now, actor=actor.label, text=text) for case in cases]
    )
    record_many(actor, [Act(f"cases.{name}", case, case.place_id, text[:200]) for case in cases])
    live.publish(cases, name)
    return cases, sorted(set(ids) - {case.pk for case in cases})


@transaction.atomic
def acknowledge_many(actor: Actor, ids: Sequence[int]) -> tuple[list[Case], list[int]]:
    """The bulk form of `acknowledge`: a constant number of queries; cases somebody else took are left alone."""
    return _many(actor, ids, "acknowledge")


@transaction.atomic
def false_alarm_many(actor: Actor, ids: Sequence[int], reason: str) -> tuple[list[Case], list[int]]:
    """The bulk form of `false_alarm`, with the feedback on the rules."""
    if not reason.strip():
        raise Invalid(FieldError("reason", _("Say what it was instead.")))
    cases, left = _many(actor, ids, "false_alarm", reason.strip())
    rules = dict(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", "rule_version__rule_id"))
    Feedback.objects.bulk_create(
        [
            Feedback(
                case=case,
                rule_id=rules[case.pk],
                verdict=Feedback.Verdict.FALSE_ALARM,
                text=reason[:300],
                author_id=actor.user_id,
            )
            for case in cases
        ],
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=["verdict", "text", "author"],
    )
    return cases, left


@transaction.atomic
def escalate_overdue(now: datetime | None = None) -> list[Case]:
    """Escalate every open case whose clock has run out: the next role of its kind is told, and the clock starts again.

    Run every few seconds by the worker; a constant number of queries. After the last role it stays there and is
    repeated at each further limit.
    """
    now = now or timezone.now()
    overdue = Case.objects.filter(state__in=Case.OPEN, due_at__lte=now).select_related("place").order_by("due_at")
    cases = list(overdue.select_for_update(of=("self",), skip_locked=True)[:200])
    told: list[tuple[Case, tuple[str, ...]]] = []
    for case in cases:
        kind = case_kind(case.kind)
        chain = kind.escalate_to or (kind.role,)
        role = chain[min(case.escalation, len(chain) - 1)]
        case.escalation = min(case.escalation + 1, 99)
        case.role = role
        grace = kind.acknowledge_minutes if case.state == Case.State.NEW else kind.resolve_minutes
        case.due_at = now + timedelta(minutes=grace.get(case.severity, 60))
        case.version += 1
        told.append((case, (role,)))
    Case.objects.bulk_update(cases, ["escalation", "role", "due_at", "version"])
    CaseEvent.objects.bulk_create(
        [
            CaseEvent(
                case=case,
                kind=CaseEvent.Kind.ESCALATED,
                at=now,
                known=now,
                actor=SYSTEM.label,
                data={"role": case.role, "level": case.escalation},
            )
            for case in cases
        ]
    )
    record_many(SYSTEM, [Act("cases.escalate", case, case.place_id, data={"role": case.role}) for case in cases])
    tell(SYSTEM, "case.escalated", told)
    live.publish(cases, "escalated")
    return cases
