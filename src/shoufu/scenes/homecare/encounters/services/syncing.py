"""Lines from phones: each is carried out once, in the order in which its phone wrote it, in a transaction of its own.

Killed between two lines, the phone sends what was not answered again and hears “already”. A line in conflict is kept
and shown; no line that was answered is lost.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from shoufu.scenes.homecare.encounters import checklists, documents
from shoufu.scenes.homecare.encounters.models import Encounter, Operation
from shoufu.scenes.homecare.encounters.services import doubts, handlers
from shoufu.scenes.homecare.encounters.services.common import (
    LINE,
    MOST_CONTENT,
    Answer,
    Draft,
    act,
    clear,
    keep,
    rows_for,
    sender,
    told,
)
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.locking import lock_booking
from shoufu.scenes.homecare.visits.models import Visit

log = structlog.get_logger("homecare.encounters")
Result = Operation.Result
SKEW = timedelta(minutes=2)
"""A clock that is wrong by less is taken as right."""
MOST_AHEAD = 1000
"""Lines of one visit that may wait for an earlier one."""
TOO_LARGE = "too-large"
"""Stands, with its bytes, for the content of a line that was larger than MOST_CONTENT."""


def sync(actor: Actor, device: UUID, sent_at: datetime, lines: Iterable[Draft]) -> list[Answer]:
    """Carry out a batch, in the order of visits and sequence whatever the order it came in. `sent_at` is now by the
    phone's clock: how wrong that is puts the lines' times right, so that no clock loses a record."""
    error = sent_at - timezone.now()
    skew = error if abs(error) > SKEW else timedelta(0)
    answers: dict[UUID, Answer] = {}
    broken: set[int] = set()
    for line in sorted(lines, key=lambda one: (one.visit, one.sequence)):
        if line.visit in broken:
            answers[line.id] = _later(line.id)
            continue
        try:
            answers[line.id] = _take(actor, device, line, skew)
            answers |= {one.id: one for one in _drain(actor, device, line.visit) if one.id in answers}
        except Exception:
            log.exception("line failed", visit=line.visit, kind=line.kind, sequence=line.sequence)
            broken.add(line.visit)
            answers[line.id] = _later(line.id)
    return list(answers.values())


def _later(line: UUID) -> Answer:
    problem = Problem(_("Something went wrong here"), _("It will be sent again by itself."), 500, "internal")
    return Answer(line, "later", told(problem))


def _take(actor: Actor, device: UUID, line: Draft, skew: timedelta) -> Answer:
    try:
        visit, practitioner = sender(actor, line.visit)
        with transaction.atomic():
            return _once(actor, device, line, skew, visit, practitioner)
    except (Invalid, NotFound, Conflict, Forbidden) as problem:
        return Answer(line.id, Result.REFUSED, told(problem))
    except IntegrityError:
        # Two requests brought the same line at the same moment: the other one kept it.
        known = Operation.objects.filter(pk=line.id).first()
        if known is None:
            raise
        return _again(known, line)


def _once(actor: Actor, device: UUID, line: Draft, skew: timedelta, visit: Visit, practitioner: Practitioner) -> Answer:
    lock_booking(visit.pk)
    visit = rows_for(visit.pk).select_for_update(of=("self",)).get()
    known = Operation.objects.filter(pk=line.id).first()
    if known is not None:
        return _again(known, line)
    expected = _expected(visit.pk, device)
    if line.sequence < expected:
        raise Conflict(_("Line %(n)s of this visit came already, with other content.") % {"n": line.sequence})
    if line.sequence > expected + MOST_AHEAD:
        # Refused, it would be a hole that every later line waits for: the phone keeps it until earlier ones are here.
        said = _("Too far ahead of the last line (%(n)s).") % {"n": expected - 1}
        return Answer(line.id, "later", told(Invalid.one("sequence", said)))
    size = len(json.dumps(line.content, ensure_ascii=False).encode())
    # What is too large is refused in its turn like any other, so that its number is used; what it said is not kept.
    content = line.content if size <= MOST_CONTENT else {TOO_LARGE: size}
    now = timezone.now()
    ahead = round((line.at - skew - now).total_seconds())
    noted = {"skew": round(skew.total_seconds())} if skew else {}
    operation = Operation(
        id=line.id,
        visit=visit,
        practitioner=practitioner,
        device=device,
        sequence=line.sequence,
        kind=line.kind[:16],
        at=min(line.at - skew, now),
        known_at=now,
        result=Result.HELD,
        digest=line.digest,
        content=keep(visit.patient.person_id, {"content": content, "base": line.base}, LINE),
        problem=noted | ({"ahead": ahead} if ahead > doubts.SLACK.total_seconds() else {}),
    )
    operation.save(force_insert=True)
    if line.sequence > expected:
        return Answer(line.id, Result.HELD)
    return _carry_out(actor, operation, visit, practitioner)


def _expected(visit: int, device: UUID) -> int:
    done = Operation.objects.filter(visit=visit, device=device).exclude(result=Result.HELD)
    return (done.aggregate(last=Max("sequence"))["last"] or 0) + 1


def _again(known: Operation, line: Draft) -> Answer:
    if bytes(known.digest) != line.digest:
        raise Conflict(_("This id was used for another line; use a new one."))
    if known.result == Result.APPLIED:
        return Answer(known.pk, "already", number=_number(known))
    return Answer(known.pk, known.result, known.problem if known.result != Result.HELD else {}, _number(known))


def _number(operation: Operation) -> int:
    entry = getattr(operation, "entry", None)
    return entry.number if entry is not None else 0


def _carry_out(actor: Actor, operation: Operation, visit: Visit, practitioner: Practitioner) -> Answer:
    """The line of a locked visit whose turn it is."""
    kept = clear(visit.patient.person_id, operation.content, LINE)
    skew = operation.problem.get("skew", 0)
    try:
        if TOO_LARGE in kept["content"]:
            raise Invalid.one("content", _("A line may have %(n)s KiB.") % {"n": MOST_CONTENT >> 10})
        document = documents.read(operation.kind, kept["content"])
        _still_theirs(practitioner, operation.at)
        with transaction.atomic():
            encounter = _encounter(visit, practitioner, operation, skew)
            context = handlers.Context(actor, practitioner, visit, encounter, operation, operation.at, kept.get("base"))
            problem = handlers.carry_out(context, document)
    except Invalid as refusal:
        return _settle(actor, operation, visit, Result.REFUSED, refusal)
    except (Conflict, Forbidden, NotFound) as refusal:
        return _settle(actor, operation, visit, Result.CONFLICT, refusal)
    operation.encounter = encounter
    if problem is not None:
        return _settle(actor, operation, visit, Result.CONFLICT, problem)
    operation.result, operation.content, operation.problem = Result.APPLIED, None, {}
    operation.save(update_fields=["result", "content", "problem", "encounter"])
    return Answer(operation.pk, Result.APPLIED, number=_number(operation))


def _still_theirs(practitioner: Practitioner, at: datetime) -> None:
    """Who was suspended or left writes nothing from then on; what they did before counts."""
    ended = min((one for one in (practitioner.suspended_at, practitioner.left_at) if one), default=None)
    if ended is not None and at > ended:
        raise Conflict(_("You were not on duty any more then; it is kept for the coordinator."), reason="revoked")


def _settle(actor: Actor, operation: Operation, visit: Visit, result: str, problem: Problem) -> Answer:
    operation.result, operation.problem = result, told(problem)
    operation.encounter = operation.encounter or _known(visit, operation)
    operation.save(update_fields=["result", "problem", "encounter"])
    if result == Result.CONFLICT:
        record(actor, act("homecare.encounter.conflict", operation, visit, kind=operation.kind))
    return Answer(operation.pk, result, operation.problem, _number(operation))


def _known(visit: Visit, operation: Operation) -> Encounter | None:
    return Encounter.objects.filter(visit=visit, practitioner=operation.practitioner_id).first()


def _encounter(visit: Visit, practitioner: Practitioner, operation: Operation, skew: float) -> Encounter:
    found, _made = Encounter.objects.select_related("practitioner", "place").get_or_create(
        visit=visit,
        practitioner=practitioner,
        defaults={
            "patient": visit.patient,
            "place": visit.place,
            "opened_at": operation.at,
            "checklist": checklists.newest().name,
        },
    )
    if abs(skew) > abs(found.clock_error):
        found.clock_error = skew
        found.save(update_fields=["clock_error"])
    return found


def _drain(actor: Actor, device: UUID, visit: int) -> list[Answer]:
    """Carry out what waited for the line that just came."""
    found: list[Answer] = []
    while (answer := _next(actor, device, visit)) is not None:
        found.append(answer)
    return found


@transaction.atomic
def _next(actor: Actor, device: UUID, visit_id: int, *, gap: bool = False) -> Answer | None:
    held = Operation.objects.filter(visit=visit_id, device=device, result=Result.HELD)
    if not held.exists():
        return None
    lock_booking(visit_id)
    visit = rows_for(visit_id).select_for_update(of=("self",)).get()
    rows = held if gap else held.filter(sequence=_expected(visit_id, device))
    operation = rows.select_related("practitioner__person", "practitioner__institution").order_by("sequence").first()
    if operation is None:
        return None
    return _carry_out(actor, operation, visit, operation.practitioner)


def release(actor: Actor, before: datetime) -> int:
    """Carry out what has waited since before a moment for lines that never came (a phone that was lost); how many."""
    waiting = Operation.objects.filter(result=Result.HELD, known_at__lt=before).order_by()
    done = 0
    for visit, device in list(waiting.values_list("visit", "device").distinct()):
        try:
            while _next(actor, device, visit, gap=True) is not None:
                done += 1
        except Exception:  # one phone's line must not keep the others' waiting
            log.exception("not_released", visit=visit, device=str(device))
    return done


def answers(actor: Actor, device: UUID) -> list[Any]:
    """What became of a phone's lines of the last two weeks that were not simply kept: those that wait, are in conflict
    or refused, and what a person decided about them."""
    since = timezone.now() - timedelta(days=14)
    rows = Operation.objects.filter(practitioner__person__user=actor.user_id, device=device, known_at__gt=since)
    return list(rows.exclude(result=Result.APPLIED).order_by("-known_at")[:500])
