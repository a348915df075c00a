"""What happens by itself: doors tell of arrivals, and time ends visits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.doors.models import Passage
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services.common import act, tell_home
from shoufu.scenes.community.visitors.services.invitations import DELIVERIES, end

GRACE = timedelta(minutes=30)
DELIVERY_GRACE = timedelta(minutes=15)
State = Invitation.State


@transaction.atomic
def passed(passages: Sequence[Passage]) -> int:
    """Doors let somebody through: whose visit it is has come (the home is told) or gone; how many visits changed.

    A late fact never calls back who has left since.
    """
    rows = _rows({one.credential_id for one in passages if one.granted and one.credential_id})
    changed = []
    for one in sorted(passages, key=lambda passage: passage.at):
        row = rows.get(one.credential_id or 0)
        if row is not None and one.granted and _moved(row, one.side, one.at):
            changed.append(act("visitors.passed", row, side=one.side or "in"))
    Invitation.objects.bulk_update(rows.values(), ["state", "arrived_at", "left_at"])
    record_many(SYSTEM, changed)
    return len(changed)


@transaction.atomic
def drove(visit_id: int, side: str, at: datetime) -> bool:
    """The barrier let a visitor's car through: the visit has come, and the home is told, or gone."""
    rows = Invitation.objects.select_for_update(of=("self",)).filter(pk=visit_id)
    row = rows.select_related("household__place__parent__parent", "place").first()
    if row is None or not _moved(row, side, at):
        return False
    row.save(update_fields=["state", "arrived_at", "left_at"])
    record_many(SYSTEM, [act("visitors.passed", row, side=side, by="car")])
    return True


def _moved(row: Invitation, side: str, at: datetime) -> bool:
    """A visitor passed into or out of the place; False where that changes nothing."""
    if side == "out" and row.state == State.INSIDE and row.arrived_at and at > row.arrived_at:
        row.state, row.left_at = State.EXPECTED if row.windows else State.LEFT, at
        return True
    if side != "out" and row.state == State.EXPECTED:
        row.state, row.arrived_at = State.INSIDE, at
        tell_home(SYSTEM, row, "visitor.arrived", f"arrived:{at:%Y%m%d%H%M%S}")
        return True
    return False


def _rows(credentials: set[int]) -> dict[int, Invitation]:
    rows = Invitation.objects.select_for_update(of=("self",)).filter(visit__in=credentials)
    rows = rows.select_related("household__place__parent__parent", "place")
    return {row.visit_id: row for row in rows if row.visit_id is not None}


@transaction.atomic
def settle(now: datetime) -> int:
    """What time does: who did not come is over; who stays past the end is asked for, then becomes a case; how many."""
    rows = Invitation.objects.select_for_update(of=("self",), skip_locked=True).filter(until__lte=now)
    rows = rows.select_related("household__place__parent__parent", "place", "visit__credential__place")
    acts = []
    for row in rows.filter(state__in=Invitation.OPEN).order_by("until")[:500]:
        if row.state in (State.ASKED, State.EXPECTED):
            end(SYSTEM, row, State.OVER)
            acts.append(act("visitors.over", row))
        elif row.reminded_at is None:
            row.reminded_at = now
            row.save(update_fields=["reminded_at"])
            tell_home(SYSTEM, row, "visitor.still_here", f"still:{row.until:%Y%m%d%H%M}")
            acts.append(act("visitors.remind", row))
        elif row.case_id is None and row.reminded_at + _grace(row) <= now:
            _raise(row)
            acts.append(act("visitors.overstay", row))
    record_many(SYSTEM, acts)
    return len(acts)


def _grace(row: Invitation) -> timedelta:
    return DELIVERY_GRACE if row.kind in DELIVERIES else GRACE


def _raise(row: Invitation) -> None:
    """A case names the home and the kind of visit, never the visitor: the desk finds the name in its list."""
    title = f"{row.get_kind_display()} · {home_label(row.household)}"
    row.case = report(SYSTEM, CaseReport(row.place_id, title, "low", "visitor.overstay"))
    row.save(update_fields=["case"])
