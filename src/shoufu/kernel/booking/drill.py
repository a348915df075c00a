from datetime import time, timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A room and a class that can be booked, a booking of each with its history, an absence, and somebody who waits."""
    from shoufu.kernel.booking import services
    from shoufu.kernel.booking.models import WaitingEntry

    mark, place = estate.mark(), estate.place.pk
    person, user = estate.row("parties.Person"), estate.row("access.User")
    rule = services.RuleDraft("FREQ=DAILY", time(0), time(0))
    (room,) = services.create_resources(
        SYSTEM, [services.ResourceDraft(mark, "room", mark, place, mark, person.pk, rules=[rule])]
    )
    needs = [services.RequirementDraft([room.pk], mark)]
    start = (timezone.now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    made = []
    for capacity in (1, 9):
        terms = services.TermsDraft(60, step_minutes=5, capacity=capacity, hold_seconds=86_400)
        draft = services.OfferingDraft(estate.mark(), place, mark, terms, needs, mark)
        made.append(services.create_offering(SYSTEM, draft))
    once = services.Once.of(estate.mark(), "hold", {})
    for row in made:
        draft_of = services.HoldDraft(row.pk, start, person=person.pk, user=user.pk)
        held = services.hold(SYSTEM, draft_of, once if row is made[0] else None)
        services.confirm(SYSTEM, held.pk)
    services.add_override(SYSTEM, room.pk, services.OverrideDraft(start + timedelta(9), start + timedelta(10)))
    WaitingEntry.objects.create(
        offering=made[0], user=user, person=person, since=start, until=start + timedelta(1), made_at=timezone.now()
    )


def _soon(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


neighbours = Neighbours(
    seed,
    values={
        "start": (_soon(3),),
        "since": (_soon(2),),
        "until": (_soon(4),),
        "end": ("",),
        "zone": ("Asia/Shanghai",),
        "details": ("{}",),
        "kind": ("room",),
        "recurrence": ("FREQ=DAILY",),
        "state": ("confirmed",),
        "name": ("confirm", "cancel", "move", "complete", "no-show"),
        "day": ((timezone.now() + timedelta(days=2)).date().isoformat(),),
        "units": ("1",),
        "quantity": ("1",),
    },
)
