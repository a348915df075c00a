from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.notices.models import Channel, Endpoint, Notice


def inbox(actor: Actor) -> QuerySet[Notice]:
    """The actor's own notices in the console, newest first."""
    rows = Notice.objects.filter(user=actor.user_id, channel=Channel.CONSOLE)
    return rows.select_related("case", "place").order_by("-created_at")


def unread(actor: Actor) -> int:
    """How many of them were not read."""
    return inbox(actor).filter(state=Notice.State.DELIVERED).count()


def deliveries(actor: Actor) -> QuerySet[Notice]:
    """Every notice about the places whose notices the actor manages, with its state, newest first."""
    rows = limit(Notice.objects.all(), actor, "notices.manage")
    return rows.select_related("case", "place", "user", "endpoint").order_by("-created_at")


def of_case(actor: Actor, case_id: int) -> list[Notice]:
    """Who was told about a case, by which channel, and whether it arrived; only where the actor may see cases."""
    rows = limit(Notice.objects.filter(case_id=case_id), actor, "cases.view", "case__place__path")
    return list(rows.select_related("user").order_by("created_at")[:100])


def endpoints(actor: Actor) -> list[Endpoint]:
    """The actor's own addresses."""
    return list(Endpoint.objects.filter(user=actor.user_id).order_by("pk"))


@dataclass(frozen=True)
class DeliveryHealth:
    """For the health page."""

    queued: int
    failed: int
    failing_endpoints: int


def health() -> DeliveryHealth:
    counted = Notice.objects.aggregate(
        queued=Count("pk", filter=Q(state__in=[Notice.State.QUEUED, Notice.State.SENDING])),
        failed=Count("pk", filter=Q(state=Notice.State.FAILED)),
    )
    failing = Endpoint.objects.filter(failing_since__isnull=False).count()
    return DeliveryHealth(failing_endpoints=failing, **counted)
