from django.utils import timezone

from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """Counts of a device of the estate; the name of the spot holds the mark."""
    from shoufu.kernel.history.models import Flow, LookBack

    device, now = estate.row("devices.Device"), timezone.now()
    Flow.objects.create(
        device=device, place=device.place, what="people", spot=estate.mark(), day=now.date(), hour=9, count=7
    )
    LookBack.objects.create(actor=estate.mark(), place=estate.place, day=now.date(), hour=now)


neighbours = Neighbours(seed)
