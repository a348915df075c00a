"""Appeals against entries and sanctions, and sanctions of practitioners."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.scenes.homecare.quality import selectors
from shoufu.scenes.homecare.quality.models import Appeal, Bar, Sanction, Step
from shoufu.scenes.homecare.quality.services import bars, telling
from shoufu.scenes.homecare.quality.services.common import (
    Reader,
    needed,
    not_the_same,
    permitted,
    required,
    step,
    trail,
)
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.models import Institution

State = Appeal.State
ANSWER = "homecare.quality.answer"
MOST_DAYS = 365


def _sanction_act(action: str, row: Sanction, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.practitioner.person_id, data=data)


@transaction.atomic
def sanction(actor: Actor, practitioner_id: int, reason: str, last_day: date) -> Sanction:
    """Send a practitioner to nobody through a day, with the reason, which they read; they can appeal."""
    who = register.practitioner(actor, practitioner_id)
    place = who.institution.place
    permitted(actor, selectors.QUALITY, place.path)
    said = required(reason=reason)["reason"]
    today = register.day_at(place)
    if not today <= last_day <= today + timedelta(days=MOST_DAYS):
        raise Invalid.one("last_day", _("A day from today on, at most a year from now."))
    row = Sanction(
        practitioner=who,
        place=place,
        reason=needed(who.person_id, said, bars.REASON),
        made_at=timezone.now(),
        made_by_id=actor.user_id,
        last_day=last_day,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("A sanction is in force already."), reason="twice") from error
    registry.suspend(lent(actor, place.path, register.MANAGE), who.pk, said)
    step(actor, "made", who.person_id, sanction=row)
    record(actor, _sanction_act("homecare.sanction.make", row, last_day=last_day.isoformat()))
    _tell_practitioner(actor, row, "made")
    return row


def _tell_practitioner(actor: Actor, row: Sanction, kind: str) -> None:
    who = row.practitioner
    event = f"sanction:{row.pk}:{kind}"
    telling.tell_person(actor, "care.sanction", who.person_id, who.institution, row.place, event, number=row.number)


def _locked_sanction(actor: Actor, sanction_id: int, *, mine: bool = False) -> Sanction:
    seen = selectors.sanction(actor, sanction_id, mine=mine)
    rows = Sanction.objects.select_related("practitioner__person", "practitioner__institution__organisation", "place")
    row = rows.select_for_update(of=("self",)).get(pk=seen.pk)
    if row.state != Sanction.State.IN_FORCE:
        said = _("This sanction is “%(state)s”.") % {"state": row.get_state_display()}
        raise Conflict(said, state=row.state, reason="state")
    return row


@transaction.atomic
def lift_sanction(actor: Actor, sanction_id: int, words: str) -> Sanction:
    """End a sanction before its time."""
    row = _locked_sanction(actor, sanction_id)
    permitted(actor, selectors.QUALITY, row.place.path)
    return _end_sanction(actor, row, Sanction.State.LIFTED, required(words=words)["words"])


def _end_sanction(actor: Actor, row: Sanction, state: str, words: str = "") -> Sanction:
    row.state, row.ended_at = state, timezone.now()
    row.save(update_fields=["state", "ended_at"])
    kind = "lifted" if state == Sanction.State.LIFTED else "expired"
    who = row.practitioner
    if who.suspended_at is not None and who.left_at is None:
        able = lent(actor, row.place.path, register.MANAGE, register.VIEW)
        registry.resume(able, who.pk, words or _("The sanction has ended."))
    step(actor, kind, who.person_id, words, sanction=row)
    record(actor, _sanction_act(f"homecare.sanction.{kind}", row))
    _tell_practitioner(actor, row, kind)
    return row


@transaction.atomic
def expire_sanctions(now: datetime) -> int:
    """End sanctions whose last day has passed; how many."""
    rows = Sanction.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "practitioner__person", "practitioner__institution__organisation", "place"
    )
    rows = rows.filter(state=Sanction.State.IN_FORCE, last_day__lte=now.date() + timedelta(days=1)).order_by("pk")
    over = [row for row in rows if row.last_day < register.day_at(row.place, now)]
    for row in over:
        _end_sanction(SYSTEM, row, Sanction.State.EXPIRED)
    return len(over)


@dataclass(frozen=True)
class ShownSanction:
    """A sanction in clear, with its trail and its appeals."""

    sanction: Sanction
    reason: str
    trail: Sequence[Mapping[str, Any]]
    appeals: Sequence[Mapping[str, Any]]


@transaction.atomic
def read_sanction(actor: Actor, sanction_id: int, reason: str = "", *, mine: bool = False) -> ShownSanction:
    """A sanction in clear; a look of others is recorded. Who only supervises must give a reason."""
    row = selectors.sanction(actor, sanction_id, mine=mine)
    if not mine:
        inside = selectors.staffed(actor, selectors.QUALITY, office="practitioner__institution")
        insider = selectors.sanctions(actor).filter(inside, pk=row.pk).exists()
        if not insider and not actor.is_system and not reason.strip():
            raise Invalid.one("reason", _("Say why you look; they can read it."))
        record(actor, _sanction_act("homecare.sanction.look", row, reason.strip()))
    read_it = Reader(row.practitioner.person_id)
    kept_reason = Sanction.objects.values_list("reason", flat=True).get(pk=row.pk)
    steps = Step.objects.filter(sanction=row).select_related("user")
    return ShownSanction(
        row, read_it(kept_reason, bars.REASON), trail(steps, read_it), told(row.appeals.all(), read_it)
    )


def told(rows: Iterable[Appeal], read_it: Reader) -> list[Mapping[str, Any]]:
    """Appeals in clear."""
    return [{"appeal": row, "words": read_it(row.words), "answer": read_it(row.answer, ANSWER)} for row in rows]


def _make(actor: Actor, row: Appeal, person: int, office: Institution, words: str) -> None:
    row.words = needed(person, required(words=words)["words"])
    row.made_at, row.made_by_id = timezone.now(), actor.user_id
    row.answer_by = row.made_at + timedelta(days=selectors.policy(office).appeal_days)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("Your appeal is being looked into already."), reason="twice") from error


@transaction.atomic
def appeal_bar(actor: Actor, bar_id: int, words: str) -> Appeal:
    """A patient, or who acts for them, says that an entry is wrong. Somebody who had no part in it answers."""
    about = bars.locked(actor, bar_id, *Bar.RUNNING, mine=True)
    row = Appeal(bar=about)
    _make(actor, row, about.patient.person_id, about.institution, words)
    step(actor, "appealed", about.patient.person_id, bar=about)
    record(actor, bars.act_of("homecare.bar.appeal", about))
    _tell_judges(actor, about.institution, about.place, row, about.number)
    return row


@transaction.atomic
def appeal_sanction(actor: Actor, sanction_id: int, words: str) -> Appeal:
    """A practitioner says that a sanction of theirs is wrong."""
    about = _locked_sanction(actor, sanction_id, mine=True)
    row = Appeal(sanction=about)
    _make(actor, row, about.practitioner.person_id, about.practitioner.institution, words)
    step(actor, "appealed", about.practitioner.person_id, sanction=about)
    record(actor, _sanction_act("homecare.sanction.appeal", about))
    _tell_judges(actor, about.practitioner.institution, about.place, row, about.number)
    return row


def _tell_judges(actor: Actor, office: Institution, place: Any, row: Appeal, number: str) -> None:
    event = f"appeal:{row.pk}"
    telling.tell_office(actor, "care.appeal.new", office, place, event, number=number)
    telling.tell_regulator(actor, "care.appeal.new", office, place, event, number=number)


@transaction.atomic
def judge(actor: Actor, appeal_id: int, granted: bool, words: str) -> Appeal:
    """Answer an appeal, as somebody who neither proposed nor decided what it is about. Granted: the entry or sanction
    ends; otherwise a paused entry is in force again."""
    seen = selectors.appeal(actor, appeal_id)
    row = Appeal.objects.select_for_update().get(pk=seen.pk)
    if row.state != State.OPEN:
        raise Conflict(_("This appeal was answered already."), reason="state")
    said = required(words=words)["words"]
    if row.bar_id is not None:
        _judge_bar(actor, row, row.bar_id, granted, said)
    elif row.sanction_id is not None:
        _judge_sanction(actor, row, row.sanction_id, granted, said)
    return row


def _answered(actor: Actor, row: Appeal, granted: bool, person: int, words: str) -> None:
    row.state = State.GRANTED if granted else State.REFUSED
    row.answer, row.answered_at, row.answered_by_id = needed(person, words, ANSWER), timezone.now(), actor.user_id
    row.save(update_fields=["state", "answer", "answered_at", "answered_by"])


def _judge_bar(actor: Actor, row: Appeal, bar_id: int, granted: bool, words: str) -> None:
    rows = Bar.objects.select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "place"
    )
    about = rows.select_for_update(of=("self",)).get(pk=bar_id)
    bars.may_judge(actor, about.place.path)
    not_the_same(actor, about.proposed_by_id, about.decided_by_id, row.made_by_id)
    _answered(actor, row, granted, about.patient.person_id, words)
    record(actor, bars.act_of("homecare.bar.judge", about, granted=granted))
    step(actor, "granted" if granted else "refused", about.patient.person_id, words, bar=about)
    if granted and about.state in Bar.RUNNING:
        bars.end(actor, about, Bar.State.LIFTED, words)
        return
    if about.state == Bar.State.PAUSED:
        about.state = Bar.State.IN_FORCE
        about.save(update_fields=["state"])
    bars.tell(actor, about, "judged")


def _judge_sanction(actor: Actor, row: Appeal, sanction_id: int, granted: bool, words: str) -> None:
    rows = Sanction.objects.select_related("practitioner__person", "practitioner__institution__organisation", "place")
    about = rows.select_for_update(of=("self",)).get(pk=sanction_id)
    bars.may_judge(actor, about.place.path)
    mine = about.practitioner.person
    if actor.user_id is not None and getattr(mine, "user", None) is not None and mine.user.pk == actor.user_id:
        raise Forbidden(_("Nobody judges their own appeal."))
    not_the_same(actor, about.made_by_id, row.made_by_id)
    _answered(actor, row, granted, about.practitioner.person_id, words)
    record(actor, _sanction_act("homecare.sanction.judge", about, granted=granted))
    step(actor, "granted" if granted else "refused", about.practitioner.person_id, words, sanction=about)
    if granted and about.state == Sanction.State.IN_FORCE:
        _end_sanction(actor, about, Sanction.State.LIFTED, words)
        return
    _tell_practitioner(actor, about, "judged")


def late_appeals(now: datetime) -> int:
    """Tell the regulator of appeals that were not answered in time, once; how many."""
    with transaction.atomic():
        rows = Appeal.objects.select_for_update(of=("self",), skip_locked=True).select_related(
            "bar__institution__organisation", "bar__place", "sanction__practitioner__institution__organisation",
            "sanction__place",
        ).defer("words", "answer")  # fmt: skip
        found = list(rows.filter(state=State.OPEN, answer_by__lt=now, late_told_at__isnull=True).order_by("pk")[:500])
        for row in found:
            about = row.bar or row.sanction
            office = row.bar.institution if row.bar else row.sanction.practitioner.institution  # type: ignore[union-attr]
            if about is not None:
                event = f"appeal:{row.pk}:late"
                telling.tell_regulator(SYSTEM, "care.appeal.late", office, about.place, event, number=about.number)
            row.late_told_at = now
            row.save(update_fields=["late_told_at"])
    return len(found)
