from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.scenes.homecare.quality import codes, selectors
from shoufu.scenes.homecare.quality.models import Bar, Incident, Refusal, Step
from shoufu.scenes.homecare.quality.services import telling
from shoufu.scenes.homecare.quality.services.common import (
    Reader,
    kept,
    needed,
    not_the_same,
    one_of,
    permitted,
    required,
    step,
    trail,
)
from shoufu.scenes.homecare.register import selectors as register

State = Bar.State
LEAST_DAYS, MOST_DAYS = 7, 365
REASON = "homecare.quality.reason"


@dataclass(frozen=True)
class BarDraft:
    """Why (`codes.Misconduct`), in words for the patient; for how many days from the decision; the ids of incidents and
    refusals that it rests on, at least one."""

    code: str
    reason: str
    days: int
    incidents: Sequence[int] = ()
    refusals: Sequence[int] = ()


def act_of(action: str, row: Bar, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.patient.person_id, data=data)


@transaction.atomic
def propose(actor: Actor, patient_id: int, draft: BarDraft) -> Bar:
    """Propose that no visits are booked for a patient for a time; somebody else decides. Nothing changes until then."""
    patient = register.patient(actor, patient_id)
    permitted(actor, selectors.QUALITY, patient.place.path)
    one_of("code", draft.code, codes.Misconduct.values)
    said = required(reason=draft.reason)["reason"]
    if not LEAST_DAYS <= draft.days <= MOST_DAYS:
        words = {"least": LEAST_DAYS, "most": MOST_DAYS}
        raise Invalid.one("days", _("Must be a number from %(least)s to %(most)s.") % words)
    incidents, refusals = _grounds(actor, patient_id, draft)
    row = Bar(
        patient=patient,
        institution=patient.institution,
        place=patient.place,
        code=draft.code,
        reason=needed(patient.person_id, said, REASON),
        proposed_at=timezone.now(),
        proposed_by_id=actor.user_id,
        days=draft.days,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("There is an open entry for this patient already."), reason="twice") from error
    row.incidents.set(incidents)
    row.refusals.set(refusals)
    step(actor, "proposed", patient.person_id, bar=row)
    grounds = [*(one.number for one in incidents), *(one.number for one in refusals)]
    record(actor, act_of("homecare.bar.propose", row, code=row.code, days=row.days, grounds=grounds))
    telling.tell_office(actor, "care.bar.proposed", row.institution, row.place, f"bar:{row.pk}", number=row.number)
    return row


def _grounds(actor: Actor, patient_id: int, draft: BarDraft) -> tuple[list[Incident], list[Refusal]]:
    incidents = list(selectors.incidents(actor).filter(pk__in=draft.incidents, patient=patient_id))
    rows = selectors.refusals(actor).filter(pk__in=draft.refusals, patient=patient_id)
    refusals = list(rows.filter(side=Refusal.Side.PRACTITIONER))
    errors = []
    if len(incidents) < len(set(draft.incidents)):
        errors.append(FieldError("incidents", _("Choose adverse events with this patient.")))
    if len(refusals) < len(set(draft.refusals)):
        errors.append(FieldError("refusals", _("Choose refusals of practitioners to go to this patient.")))
    if not errors and not incidents and not refusals:
        errors.append(FieldError("incidents", _("An entry rests on at least one adverse event or refusal.")))
    if errors:
        raise Invalid(*errors)
    return incidents, refusals


def locked(actor: Actor, bar_id: int, *states: str, mine: bool = False) -> Bar:
    """An entry that the actor may see, locked, in one of these states."""
    seen = selectors.bar(actor, bar_id, mine=mine)
    rows = Bar.objects.select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "institution__organisation", "place"
    )
    row = rows.select_for_update(of=("self",)).get(pk=seen.pk)
    if row.state not in states:
        said = _("This entry is “%(state)s”.") % {"state": row.get_state_display()}
        raise Conflict(said, state=row.state, reason="state")
    return row


def tell(actor: Actor, row: Bar, kind: str) -> None:
    """Tell the patient that something about their entry changed; what it is stands on their page."""
    event = f"bar:{row.pk}:{kind}:{row.steps.count()}"
    telling.tell_patient(actor, "care.bar.patient", row.patient, event, number=row.number)


@transaction.atomic
def decide(actor: Actor, bar_id: int, enter: bool, words: str = "") -> Bar:
    """Decide on a proposed entry, as somebody else than who proposed it. The patient is told with the reason."""
    row = locked(actor, bar_id, State.PROPOSED)
    permitted(actor, selectors.DECIDE, row.place.path)
    not_the_same(actor, row.proposed_by_id)
    if not enter:
        required(words=words)
    now = timezone.now()
    row.decided_at, row.decided_by_id = now, actor.user_id
    row.state = State.IN_FORCE if enter else State.REJECTED
    if enter:
        today = register.day_at(row.place, now)
        row.last_day = today + timedelta(days=row.days - 1)
        row.review_on = today + timedelta(days=row.days // 2)
    else:
        row.ended_at = now
    row.save(update_fields=["decided_at", "decided_by", "state", "last_day", "review_on", "ended_at"])
    step(actor, "entered" if enter else "rejected", row.patient.person_id, kept("words", words), bar=row)
    record(actor, act_of("homecare.bar.enter" if enter else "homecare.bar.reject", row))
    if enter:
        tell(actor, row, "entered")
    return row


@transaction.atomic
def lift(actor: Actor, bar_id: int, words: str) -> Bar:
    """End an entry before its time."""
    row = locked(actor, bar_id, *Bar.RUNNING)
    permitted(actor, selectors.DECIDE, row.place.path)
    return end(actor, row, State.LIFTED, required(words=words)["words"])


def end(actor: Actor, row: Bar, state: str, words: str = "") -> Bar:
    """End an entry in the caller's transaction, which checked and locked; open appeals lose their object."""
    row.state, row.ended_at = state, timezone.now()
    row.save(update_fields=["state", "ended_at"])
    kind = "lifted" if state == State.LIFTED else "expired"
    step(actor, kind, row.patient.person_id, words, bar=row)
    record(actor, act_of(f"homecare.bar.{kind}", row))
    tell(actor, row, kind)
    return row


@transaction.atomic
def pause(actor: Actor, bar_id: int, paused: bool) -> Bar:
    """Let visits be booked while an appeal is looked into, or no longer; by somebody who may judge the appeal."""
    row = locked(actor, bar_id, State.IN_FORCE if paused else State.PAUSED)
    if not row.appeals.filter(state="open").exists():
        raise Conflict(_("There is no open appeal against this entry."), reason="state")
    may_judge(actor, row.place.path)
    not_the_same(actor, row.proposed_by_id, row.decided_by_id)
    row.state = State.PAUSED if paused else State.IN_FORCE
    row.save(update_fields=["state"])
    kind = "paused" if paused else "resumed"
    step(actor, kind, row.patient.person_id, bar=row)
    record(actor, act_of(f"homecare.bar.{kind}", row))
    tell(actor, row, kind)
    return row


def may_judge(actor: Actor, path: str) -> None:
    if not actor.may(selectors.DECIDE, path) and not actor.may(selectors.REGULATE, path):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": selectors.DECIDE})


@dataclass(frozen=True)
class ShownBar:
    """An entry in clear, with what it rests on, its trail and its appeals (words and answer)."""

    bar: Bar
    reason: str
    trail: Sequence[Mapping[str, Any]]
    appeals: Sequence[Mapping[str, Any]]

    @property
    def pending(self) -> bool:
        """Whether an appeal waits for its answer."""
        return any(one["appeal"].state == "open" for one in self.appeals)


@transaction.atomic
def read(actor: Actor, bar_id: int, reason: str = "", *, mine: bool = False) -> ShownBar:
    """An entry in clear; a look of staff is recorded. Who only supervises must give a reason."""
    from shoufu.scenes.homecare.quality.services.appeals import told

    row = selectors.bar(actor, bar_id, mine=mine)
    if not mine:
        insider = selectors.bars(actor).filter(selectors.staffed(actor, selectors.QUALITY), pk=row.pk).exists()
        if not insider and not actor.is_system and not reason.strip():
            raise Invalid.one("reason", _("Say why you look; they can read it."))
        said = reason.strip() or _("Entry %(number)s") % {"number": row.number}
        record(actor, act_of("homecare.bar.look", row, said))
    person = row.patient.person_id
    read_it = Reader(person)
    kept_reason = Bar.objects.values_list("reason", flat=True).get(pk=row.pk)
    steps = Step.objects.filter(bar=row).select_related("user")
    shown = [one for one in trail(steps, read_it) if not mine or one["kind"] != "proposed"]
    return ShownBar(row, read_it(kept_reason, REASON), shown, told(row.appeals.all(), read_it))


@transaction.atomic
def expire(now: datetime) -> int:
    """End entries whose last day has passed where the patient lives; how many."""
    rows = Bar.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "place"
    )
    candidates = rows.filter(state__in=Bar.RUNNING, last_day__lte=now.date() + timedelta(days=1)).order_by("pk")
    over = [row for row in candidates if row.last_day is not None and row.last_day < register.day_at(row.place, now)]
    for row in over:
        end(SYSTEM, row, State.EXPIRED)
    return len(over)


@transaction.atomic
def remind(now: datetime) -> int:
    """Tell the institution on the day on which an entry is to be reviewed, once; how many."""
    rows = Bar.objects.select_related("institution__organisation", "place").defer("reason")
    rows = rows.filter(state__in=Bar.RUNNING, review_on__lte=now.date() + timedelta(days=1)).order_by("pk")
    due = [row for row in rows if row.review_on is not None and row.review_on <= register.day_at(row.place, now)]
    for row in due:
        event = f"bar:{row.pk}:review"
        telling.tell_office(SYSTEM, "care.bar.review", row.institution, row.place, event, number=row.number)
    return len(due)
