from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.scenes.homecare.quality import codes, selectors
from shoufu.scenes.homecare.quality.models import Policy, Rating
from shoufu.scenes.homecare.quality.services import telling
from shoufu.scenes.homecare.quality.services.common import Reader, kept, locked_away
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.services.common import chosen
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Visit

OPEN_FOR = timedelta(days=30)
"""How long after a visit it can be rated, and the rating changed."""
LOW = 2


@dataclass(frozen=True)
class RatingDraft:
    """1 (bad) to 5 (good) stars, tags of `codes.Tag`, and words."""

    stars: int
    tags: Sequence[str] = ()
    words: str = ""


@transaction.atomic
def rate(actor: Actor, visit_id: int, draft: RatingDraft) -> Rating:
    """Rate a visit of one's own, or of somebody for whom one may act; a second time changes the rating.

    Conflict before the visit is done, and from 30 days after it on.
    """
    visit = visits.visit(actor, visit_id, mine=True)
    now = timezone.now()
    Visit.objects.select_for_update().get(pk=visit.pk)
    if visit.state != Visit.State.DONE or visit.ended_at is None:
        raise Conflict(_("Visits are rated once they are done."), reason="state")
    if now > visit.ended_at + OPEN_FOR:
        raise Conflict(_("It is more than 30 days since this visit; it can be rated no longer."), reason="late")
    if draft.stars not in range(1, 6):
        raise Invalid.one("stars", _("Choose one to five stars."))
    tags = chosen("tags", draft.tags, codes.Tag.values)
    words = locked_away(visit.patient.person_id, kept("words", draft.words))
    row = Rating.objects.filter(visit=visit).first()
    act = "homecare.rating.give" if row is None else "homecare.rating.change"
    row = row or Rating(visit=visit, made_at=now, made_by_id=actor.user_id)
    row.changed_at = now if row.pk else None
    row.stars, row.tags, row.words = draft.stars, tags, words
    row.save()
    record(actor, Act(act, row, visit.place_id, subject=visit.patient.person_id, data={"visit": visit.pk}))
    if row.stars <= LOW:
        telling.tell_office(
            actor, "care.rating.low", visit.institution, visit.place, f"rating:{row.pk}", number=visit.number
        )
    return row


def own_words(actor: Actor, visit_id: int) -> tuple[Visit, Rating | None, str]:
    """A visit of one's own with its rating and the words that were given with it."""
    visit = visits.visit(actor, visit_id, mine=True)
    row = Rating.objects.filter(visit=visit).first()
    return visit, row, Reader(visit.patient.person_id)(row.words) if row is not None else ""


@transaction.atomic
def read_rating(actor: Actor, rating_id: int) -> tuple[Rating, str]:
    """A rating with its words, for staff; the look is recorded."""
    row = selectors.rating(actor, rating_id)
    person = row.visit.patient.person_id
    record(actor, Act("homecare.rating.look", row, row.visit.place_id, subject=person))
    words = Rating.objects.values_list("words", flat=True).get(pk=row.pk)
    return row, Reader(person)(words)


@dataclass(frozen=True)
class PolicyDraft:
    """Hours to acknowledge a complaint, days to answer it and an appeal, ratings from which a nurse sees an average."""

    acknowledge_hours: int
    answer_days: int
    appeal_days: int
    least_ratings: int


MOST = {"acknowledge_hours": (1, 72), "answer_days": (1, 30), "appeal_days": (1, 30), "least_ratings": (3, 50)}


@transaction.atomic
def set_policy(actor: Actor, institution_id: int, draft: PolicyDraft) -> Policy:
    """How soon an institution deals with complaints and appeals; counts for those that come from now on."""
    office = register.institution(actor, institution_id)
    require(actor, selectors.DECIDE, office.place)
    for name, (least, most) in MOST.items():
        if not least <= getattr(draft, name) <= most:
            raise Invalid.one(name, _("Must be a number from %(least)s to %(most)s.") % {"least": least, "most": most})
    row, _made = Policy.objects.update_or_create(institution=office, defaults=vars(draft))
    record(actor, Act("homecare.quality.policy", office, office.place_id, data=vars(draft)))
    return row
