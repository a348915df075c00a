from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import WaitingEntry
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Difference


def payments_of(tag: str, compound: Any, institution: int, person: int) -> dict[str, Any]:
    """An order that was paid in cash and is partly to be paid back, a difference, and a settlement."""
    line = payments.LineDraft(f"{tag} service", 100)
    order = payments.create_order(
        SYSTEM, payments.OrderDraft(compound.pk, institution, f"{tag} order", [line], payer_id=person)
    )
    payments.confirm_offline(SYSTEM, order.pk, 100, f"{tag} slip")
    tomorrow = timezone.localdate() + timedelta(days=1)
    settlement = payments.draft_settlement(SYSTEM, institution, tomorrow - timedelta(days=2), tomorrow)
    refund = payments.request_refund(SYSTEM, payments.RefundDraft(order.pk, 1, f"{tag} refund"))
    difference = Difference.objects.create(
        provider="wechat", kind="amount", day=tomorrow, place=compound, order=order, trade=f"{tag}-trade",
        found_at=timezone.now(),
    )  # fmt: skip
    return {
        "order_id": order.pk, "refund_id": refund.pk, "difference_id": difference.pk,
        "settlement_id": settlement.pk, "step": "refund",
    }  # fmt: skip


def bookings_of(tag: str, compound: Any, user: User) -> dict[str, Any]:
    """A room that can be booked, a hold of it, an absence, and somebody who waits; a slot of the day after tomorrow."""
    rule = booking.RuleDraft("FREQ=DAILY", time(0), time(0))
    (room,) = booking.create_resources(
        SYSTEM, [booking.ResourceDraft(f"{tag}-room", "room", f"{tag} room", compound.pk, rules=[rule])]
    )
    offering = booking.create_offering(
        SYSTEM,
        booking.OfferingDraft(
            f"{tag}-room", compound.pk, f"{tag} meeting", booking.TermsDraft(60), [booking.RequirementDraft([room.pk])]
        ),
    )
    start = timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(2), time(10)))
    held = booking.hold(SYSTEM, booking.HoldDraft(offering.pk, start))
    away = booking.add_override(SYSTEM, room.pk, booking.OverrideDraft(start + timedelta(5), start + timedelta(6))).row
    waits = WaitingEntry.objects.create(
        offering=offering, user=user, since=start, until=start + timedelta(hours=1), made_at=timezone.now()
    )
    slot = start + timedelta(hours=2)
    return {
        "resource_id": room.pk, "offering_id": offering.pk, "booking_id": held.pk, "override_id": away.pk,
        "waiting_entry_id": waits.pk, "availability_rule_id": room.rules.get().pk,
        "slot": slot.isoformat(), "slot_end": (slot + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
