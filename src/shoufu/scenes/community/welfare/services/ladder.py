"""The ladder of a check: the resident, the contacts, the community worker, two people at the door."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.engines import welfare as engine
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case, CaseEvent, Severity
from shoufu.kernel.cases.services import CaseReport
from shoufu.kernel.cases.services.moves import say
from shoufu.kernel.parties.selectors import home_label
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import accounts_of, compound_of
from shoufu.scenes.community.welfare.minding import FIELDS, keep, keys_of, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Entry, Helper, Ladder, Watch
from shoufu.scenes.community.welfare.services.common import (
    DOOR,
    LANGUAGES,
    SCOPE,
    VISIT,
    about,
    accounts,
    act,
    line,
    locked_check,
    tell_role,
    tell_users,
)

Step, Outcome, What = Check.Step, Check.Outcome, Entry.What
ANSWERS = ("reached", "going", "cannot", "help")


@dataclass(frozen=True)
class Due:
    """A check that is to begin: why, since when the home is silent, the longest silence known (s), and when due."""

    reason: str
    due_at: datetime
    silent_since: datetime | None = None
    known_seconds: int = 0
    learned: bool = False


def begin(watch: Watch, due: Due, now: datetime) -> Check | None:
    """Ask the resident whether all is well; None where a check of theirs is open already."""
    if Check.objects.filter(person=watch.person_id, ended_at__isnull=True).exists():
        return None
    check = Check.objects.create(
        person_id=watch.person_id,
        watch=watch,
        household=watch.household,
        place=watch.place,
        reason=due.reason,
        silent_since=due.silent_since,
        known_seconds=due.known_seconds,
        learned=due.learned,
        due_at=due.due_at,
        asked_at=now,
    )
    record(SYSTEM, act("welfare.begin", check))
    _climb(check, Step.RESIDENT, now)
    return check


def advance(now: datetime) -> int:
    """Go on with every check whose step has waited long enough, and end those whose case is over; how many."""
    open_ = Check.objects.filter(ended_at__isnull=True)
    over = Q(until__lte=now) | (Q(case__isnull=False) & ~Q(case__state__in=Case.OPEN))
    count = 0
    for pk in open_.filter(over).order_by("pk").values_list("pk", flat=True):
        count += _advance(pk, now)
    return count


@transaction.atomic
def _advance(check_id: int, now: datetime) -> int:
    check = locked_check(check_id)
    if check is None or check.ended_at is not None:
        return 0
    if check.case is not None:
        if check.case.state in Case.OPEN:
            return 0
        well = check.case.state == Case.State.FALSE_ALARM
        end(check, Outcome.REACHED if well else Outcome.HELPED, SYSTEM, now)
        return 1
    if check.until is None or check.until > now:
        return 0
    line(check, What.NO_ANSWER, now)
    _climb(check, Check.ORDER[Check.ORDER.index(Step(check.step)) + 1], now)
    return 1


def _climb(check: Check, step: Check.Step, now: datetime) -> None:
    """Ask on this step; where nobody can be told here, on the next one at once."""
    ask: dict[Check.Step, Callable[[Check, datetime], bool]] = {
        Step.RESIDENT: _ask_resident,
        Step.CONTACT: _ask_contacts,
        Step.WORKER: _ask_worker,
    }
    for this in Check.ORDER[Check.ORDER.index(step) :]:
        check.step, check.going_by_id = this, None
        if this == Step.DOOR:
            _to_the_door(check, Severity.HIGH, now)
            break
        check.until = now + _wait(check, this)
        if ask[this](check, now):
            break
        line(check, What.NOBODY, now)
    check.save()
    record(SYSTEM, act("welfare.step", check, step=check.step))


def ladder_of(place: Place) -> Ladder:
    """The minutes of each step where a home stands."""
    return Ladder.objects.filter(place=compound_of(place)).first() or Ladder()


def _wait(check: Check, step: Check.Step) -> timedelta:
    return timedelta(minutes=getattr(ladder_of(check.place), f"{step}_minutes"))


def _asked(check: Check, users: list[int], now: datetime, role: str = "") -> bool:
    Entry.objects.bulk_create(
        Entry(check_of=check, at=now, step=check.step, what=What.ASKED, user_id=user, role=role) for user in users
    )
    return bool(users)


def _ask_resident(check: Check, now: datetime) -> bool:
    minutes = str(ladder_of(check.place).resident_minutes)
    told = about(check, "ask", now, minutes=dict.fromkeys(LANGUAGES, minutes))
    return _asked(check, tell_users("welfare.ask", told, accounts({check.person_id})), now)


def _ask_contacts(check: Check, now: datetime) -> bool:
    """Named people with an account, and whoever may answer for the person. The others have a phone only."""
    helpers = list(Helper.objects.filter(watch=check.watch_id)) if check.watch_id else []
    known = {one.known_id for one in helpers if one.known_id is not None}
    own = set(accounts({check.person_id}))
    users = (set(accounts(known)) | set(accounts_of({check.person_id}, SCOPE))) - own
    return _asked(check, tell_users("welfare.contact", about(check, "contact", now), users), now)


def _ask_worker(check: Check, now: datetime) -> bool:
    role = check.watch.worker_role if check.watch is not None else "community_worker"
    return _asked(check, tell_role("welfare.worker", about(check, "worker", now), role), now, role)


def _to_the_door(check: Check, severity: str, now: datetime) -> None:
    """A case for the guard: two people go to the door. It names the home, never the person."""
    check.until, check.step = None, Step.DOOR
    texts = {}
    for language in LANGUAGES:
        with override(language):
            label = home_label(check.household)
            texts[language] = _("Look in, two people together · %(home)s") % {"home": label}
    with override("zh-hans"):
        task = _(
            "Task: go to the door with two people. Ring and call first. Nobody opens a dwelling alone: opening from "
            "afar needs this case and a second person. Then answer under “Welfare checks”."
        )
    draft = CaseReport(check.place_id, texts["zh-hans"], severity, "welfare.check", task)
    check.case = cases.report(SYSTEM, draft)
    check.case.title_en = texts["en"][:160]
    check.case.save(update_fields=["title_en"])
    for entry in check.entries.exclude(what=What.TOLD):
        say(check.case, CaseEvent.Kind.NOTE, SYSTEM, _in_words(entry))
    line(check, What.ASKED, now, role="guard")


def _in_words(entry: Entry) -> str:
    """A line of a check for the case's timeline: no names, no times of silence."""
    with override("zh-hans"):
        at = entry.at.astimezone(ZoneInfo(entry.check_of.place.time_zone))
        return f"{at:%H:%M} {entry.get_step_display()}：{entry.get_what_display()}"


def may_answer(actor: Actor, check: Check) -> bool:
    """The person, who may answer for them, the worker from their step on, the guard at the door."""
    if privacy.may_act_for(actor, check.person_id, SCOPE):
        return True
    path = check.place.path
    if check.step in (Step.WORKER, Step.DOOR) and actor.may(VISIT, path):
        return True
    return check.step == Step.DOOR and actor.may(DOOR, path)


def _answering(actor: Actor, check_id: int) -> Check:
    check = locked_check(check_id)
    if check is None or not may_answer(actor, check):
        raise NotFound(_("There is no welfare check %(id)s that you may answer.") % {"id": check_id})
    if check.ended_at is not None:
        raise Conflict(_("This check has ended already: %(how)s.") % {"how": check.get_outcome_display()})
    return check


@transaction.atomic
def fine(actor: Actor, check_id: int) -> Check:
    """The resident says that they are well: one key. Somebody else's word is `answer(…, "reached")`."""
    check = _answering(actor, check_id)
    me = privacy.myself(actor)
    if me is None or me.pk != check.person_id:
        raise NotFound(_("There is no welfare check %(id)s that you may answer.") % {"id": check_id})
    end(check, Outcome.FINE, actor, timezone.now())
    return check


@transaction.atomic
def answer(actor: Actor, check_id: int, what: str) -> Check:
    """A contact, the worker or the guard answers: "reached" (all is well), "going", "cannot" or "help".

    "going" keeps the step for a while and the next one from being asked; "cannot" asks the next one at once; "help"
    calls the door step at once, as critical.
    """
    check = _answering(actor, check_id)
    if what not in ANSWERS:
        raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(ANSWERS)})
    now = timezone.now()
    if what == "reached":
        end(check, Outcome.REACHED, actor, now)
        return check
    line(check, what, now, user=actor.user_id)
    record(actor, act("welfare.answer", check, answer=what))
    if check.case is not None:
        say(check.case, CaseEvent.Kind.NOTE, SYSTEM, str(Entry.What(what).label))
        if what == "going":
            check.going_by_id = actor.user_id
    elif what == "going":
        check.going_by_id, check.until = actor.user_id, now + timedelta(minutes=ladder_of(check.place).going_minutes)
    elif what == "help":
        _to_the_door(check, Severity.CRITICAL, now)
    else:
        _climb(check, Check.ORDER[Check.ORDER.index(Step(check.step)) + 1], now)
    check.save()
    return check


def sign(check: Check, at: datetime, now: datetime) -> None:
    """Movement in the home ends a check, unless it may be that of whoever went there."""
    if check.going_by_id is None and check.step != Step.DOOR:
        end(check, Outcome.SIGN, SYSTEM, now)
        return
    if not check.entries.filter(what=What.SIGN).exists():
        line(check, What.SIGN, at)
        if check.case is not None and check.case.state in Case.OPEN:
            say(check.case, CaseEvent.Kind.NOTE, SYSTEM, str(Entry.What.SIGN.label))


def end(check: Check, outcome: str, actor: Actor, now: datetime) -> None:
    """End a check: its case is closed, the watch learns of the person's word, and whoever was asked is told."""
    check.outcome, check.ended_at, check.until = outcome, now, None
    check.save()
    line(check, What.ENDED, now, user=actor.user_id)
    record(actor, act("welfare.end", check, outcome=outcome))
    _close_case(check)
    if outcome in Check.WELL:
        _learn(check, outcome, now)
    asked = check.entries.filter(what=What.ASKED, user__isnull=False).values_list("user", flat=True)
    users = set(asked) - {actor.user_id} - set(accounts({check.person_id}))
    words = {}
    for language in LANGUAGES:
        with override(language):
            words[language] = str(Outcome(outcome).label)
    told = tell_users("welfare.ended", about(check, "ended", now, outcome=words), users)
    Entry.objects.bulk_create(
        Entry(check_of=check, at=now, step=check.step, what=What.TOLD, user_id=user) for user in told
    )


def _close_case(check: Check) -> None:
    if check.case is None or check.case.state not in Case.OPEN:
        return
    with override("zh-hans"):
        cases.false_alarm(SYSTEM, check.case.pk, reason=str(Outcome(check.outcome).label))


def _learn(check: Check, outcome: str, now: datetime) -> None:
    """The person is well: from now on a new silence counts, and a false alarm makes the watch more patient."""
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place")
    row = rows.filter(pk=check.watch_id or 0).first()
    if row is None:
        return
    key = keys_of([row])[row.person_id]
    watch = opened(row, key)
    said_at = wall(now, zone_of(row))
    if outcome != Outcome.SIGN and row.paused_until is None:
        watch.said(said_at)
    if check.learned and check.reason == Check.Reason.SILENT:
        watch.habits.was_well(said_at)
    keep(row, key, watch)
    row.save(update_fields=FIELDS)


def due_of(alarm: engine.Alarm, moments: Callable[[float], datetime]) -> Due:
    """The engine's alarm as the check that it calls for."""
    reason = Check.Reason.SILENT if alarm.reason is engine.Reason.SILENT else Check.Reason.NOT_BACK
    return Due(reason, moments(alarm.at), moments(alarm.last), int(alarm.usual.known), alarm.usual.learned)
