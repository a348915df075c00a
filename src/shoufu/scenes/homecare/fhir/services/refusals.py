from datetime import datetime, timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.fhir import selectors
from shoufu.scenes.homecare.fhir.faults import Refused
from shoufu.scenes.homecare.fhir.models import Refusal

MOST_ISSUES = 5


def note_refusal(actor: Actor, method: str, kind: str, found: Refused) -> None:
    """Keep what was refused and at which elements, so that who connects a program sees it. No content, no message."""
    if actor.user_id is None:
        return
    roots = actor.paths(selectors.READ) or actor.paths(selectors.WRITE)
    # PostgreSQL keeps no U+0000, which a name in broken JSON may hold.
    issues = [
        {"expression": one.expression[:200].replace("\0", "�"), "code": one.code} for one in found.issues if one.grave
    ]
    Refusal.objects.create(
        at=timezone.now(),
        user_id=actor.user_id,
        place=Place.objects.filter(path__in=roots).order_by("depth").first() if roots else None,
        method=method[:8],
        type=kind[:64],
        status=found.status,
        issues=issues[:MOST_ISSUES],
    )


def forget_refusals(now: datetime) -> int:
    """Remove refusals after their days; how many."""
    return Refusal.objects.filter(at__lt=now - timedelta(days=Refusal.RETENTION_DAYS)).delete()[0]
