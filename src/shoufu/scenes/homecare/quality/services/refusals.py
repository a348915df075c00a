from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.quality import codes, selectors
from shoufu.scenes.homecare.quality.models import Refusal
from shoufu.scenes.homecare.quality.services import telling
from shoufu.scenes.homecare.quality.services.common import Reader, kept, locked_away, one_of
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Visit

Side = Refusal.Side


@dataclass(frozen=True)
class RefusalDraft:
    """Why (`codes.Against`) in a code and in words; of `only_visit` the visit alone."""

    code: str
    words: str = ""
    visit: int | None = None
    only_visit: bool = False


def _act(action: str, row: Refusal, **data: object) -> Act:
    return Act(action, row, row.place_id, subject=_whose(row), data=data)


def _whose(row: Refusal) -> int:
    """The person who refused: the words are theirs, and so is the line under "who looked"."""
    return row.patient.person_id if row.side == Side.PATIENT else row.practitioner.person_id


@transaction.atomic
def refuse_patient(actor: Actor, patient_id: int, draft: RefusalDraft) -> Refusal:
    """A practitioner goes to a patient, or to one visit, no more. The coordinator is told: plans bring the two together
    no longer, what was planned must be planned anew."""
    patient = register.patient(actor, patient_id)
    who = register.practices(actor).filter(institution=patient.institution_id).first()
    if who is None or not actor.may_anywhere(selectors.CARE):
        raise Forbidden(_("Only who gives care for this institution can refuse a patient."))
    visit = _visit(actor, patient_id, draft)
    words = locked_away(who.person_id, kept("words", draft.words))
    row = Refusal(patient=patient, practitioner=who, side=Side.PRACTITIONER, visit=visit, words=words)
    return _made(actor, row, draft)


@transaction.atomic
def refuse_practitioner(actor: Actor, patient_id: int, practitioner_id: int, draft: RefusalDraft) -> Refusal:
    """A patient, or who acts for them, does not want somebody to come any more. Whom it concerns is not told."""
    patient = register.own(actor).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound(_("There is no home care %(id)s for which you may do this.") % {"id": patient_id})
    who = selectors.known_practitioners(patient).filter(pk=practitioner_id).first()
    if who is None:
        raise Invalid.one("practitioner", _("Choose somebody who comes to you."))
    words = locked_away(patient.person_id, kept("words", draft.words))
    row = Refusal(patient=patient, practitioner=who, side=Side.PATIENT, words=words)
    return _made(actor, row, RefusalDraft(draft.code, draft.words))


def _visit(actor: Actor, patient_id: int, draft: RefusalDraft) -> Visit | None:
    if draft.visit is None:
        if draft.only_visit:
            raise Invalid.one("visit", _("Choose one of the visits."))
        return None
    visit = visits.visits(actor).filter(pk=draft.visit, patient=patient_id).first()
    if visit is None:
        raise Invalid.one("visit", _("Choose one of the visits."))
    return visit


def _made(actor: Actor, row: Refusal, draft: RefusalDraft) -> Refusal:
    row.code = one_of("code", draft.code, codes.Against.values)
    row.only_visit, row.place = draft.only_visit, row.patient.place
    row.made_at, row.made_by_id = timezone.now(), actor.user_id
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("This is noted already."), reason="twice") from error
    record(actor, _act("homecare.refusal.make", row, code=row.code, side=row.side, practitioner=row.practitioner_id))
    planned = Visit.objects.filter(
        patient=row.patient_id, state=Visit.State.BOOKED, stops__practitioner=row.practitioner_id, stops__live=True
    )
    telling.tell_office(
        actor,
        "care.refusal.new",
        row.patient.institution,
        row.place,
        f"refusal:{row.pk}",
        number=row.number,
        count=str(planned.distinct().count()),
    )
    return row


@transaction.atomic
def take_back(actor: Actor, refusal_id: int, *, mine: bool = False) -> Refusal:
    """Whoever refused is willing again. Nobody else can decide that for them."""
    seen = selectors.refusal(actor, refusal_id, mine=mine)
    row = Refusal.objects.select_for_update(of=("self",)).select_related("patient", "practitioner").get(pk=seen.pk)
    if not mine and not register.practices(actor).filter(pk=row.practitioner_id, refusals=row.pk).exists():
        raise Forbidden(_("Only who refused can take it back."))
    if not mine and row.side != Side.PRACTITIONER:
        raise Forbidden(_("Only who refused can take it back."))
    if row.ended_at is not None:
        raise Conflict(_("This has ended already."), reason="state")
    row.ended_at = timezone.now()
    row.save(update_fields=["ended_at"])
    record(actor, _act("homecare.refusal.end", row))
    return row


@transaction.atomic
def read_refusal(actor: Actor, refusal_id: int, *, mine: bool = False) -> tuple[Refusal, str]:
    """A refusal with its words; a look of staff is recorded."""
    row = selectors.refusal(actor, refusal_id, mine=mine)
    if not mine:
        record(actor, _act("homecare.refusal.look", row))
    words = Refusal.objects.values_list("words", flat=True).get(pk=row.pk)
    return row, Reader(_whose(row))(words)
