from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.models import Consent, Membership, Person, Residency, Vehicle
from shoufu.kernel.parties.selectors import today


@dataclass(frozen=True)
class Purged:
    """How many rows the retention of their purpose ended."""

    people: int
    vehicles: int
    consents: int


@transaction.atomic
def purge(actor: Actor, on: date | None = None) -> Purged:
    """Remove what is kept longer than its purpose allows (the models' RETENTION_DAYS); the audit log has the proof.

    People are erased when two years have passed since they last lived or worked anywhere here, and nobody signs in as
    them.
    """
    from shoufu.kernel.privacy.erasure import erase  # it builds on the services of this app

    day = on or today()
    overdue = list(_overdue(day).values_list("pk", flat=True))
    for pk in overdue:
        erase(actor, pk, f"retention of {Person.RETENTION_DAYS} days has ended")
    vehicles, _models = Vehicle.objects.filter(until__lte=day - timedelta(days=Vehicle.RETENTION_DAYS)).delete()
    ended = day - timedelta(days=Consent.RETENTION_DAYS)
    consents, _models = Consent.objects.filter(withdrawn_at__date__lte=ended).delete()
    purged = Purged(len(overdue), vehicles, consents)
    if any(asdict(purged).values()):
        record(actor, Act("parties.purge", data=asdict(purged)))
    return purged


def _overdue(day: date) -> QuerySet[Person]:
    ended = day - timedelta(days=Person.RETENTION_DAYS)
    lately = Q(until__isnull=True) | Q(until__gt=ended)
    return Person.objects.filter(
        ~Exists(Residency.objects.filter(lately, person=OuterRef("pk"))),
        ~Exists(Membership.objects.filter(lately, person=OuterRef("pk"))),
        Q(user__isnull=True) | Q(user__is_active=False),
        erased_at__isnull=True,
        updated_at__date__lte=ended,
    ).order_by("pk")
