from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.scenes.homecare.planning import selectors
from shoufu.scenes.homecare.planning.models import Policy


@dataclass(frozen=True)
class PolicyDraft:
    """How an institution plans: minutes, and minutes of the day for when the rest may begin."""

    window_minutes: int
    break_earliest: int
    break_latest: int
    break_minutes: int
    grace_minutes: int


@transaction.atomic
def set_policy(actor: Actor, office_id: int, draft: PolicyDraft) -> Policy:
    """Change how an institution plans. Promises that were made stand; later bookings and plans follow it."""
    office = selectors.office(actor, office_id)
    errors = _errors(draft)
    if errors:
        raise Invalid(*errors)
    row, _made = Policy.objects.update_or_create(institution=office, defaults=asdict(draft))
    record(actor, Act("homecare.dispatch.policy", row, office.place_id, data=asdict(draft)))
    return row


def _errors(draft: PolicyDraft) -> list[FieldError]:
    limits = {"window_minutes": (0, 240), "break_minutes": (0, 180), "grace_minutes": (0, 120)}
    errors = []
    for name, (least, most) in limits.items():
        if not least <= getattr(draft, name) <= most:
            said = _("Must be a number from %(least)s to %(most)s.") % {"least": least, "most": most}
            errors.append(FieldError(name, said))
    if not 0 <= draft.break_earliest < 1440:
        errors.append(FieldError("break_earliest", _("Must be a time of the day.")))
    if not draft.break_earliest <= draft.break_latest < 1440:
        errors.append(FieldError("break_latest", _("Must not be before the earliest begin.")))
    return errors
