from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.doors.models import (
    AccessLevel,
    Assignment,
    Controller,
    Credential,
    OpenRequest,
    Passage,
    Receipt,
    Schedule,
)
from shoufu.kernel.doors.services.rulesets import prune, publish


@dataclass(frozen=True)
class Purged:
    """How many rows the retention of their purpose ended."""

    passages: int
    credentials: int
    assignments: int
    receipts: int
    rule_sets: int


@transaction.atomic
def purge(actor: Actor) -> Purged:
    """Remove what is kept longer than its purpose allows (the models' RETENTION_DAYS); the audit log has the proof.

    What is read of a credential goes 30 days after it was revoked. Rule sets are made anew first, so that none keeps
    what is over.
    """
    now = timezone.now()
    publish(actor, set(Controller.objects.values_list("device_id", flat=True)), "nightly")
    OpenRequest.objects.filter(state="waiting", expires_at__lte=now).update(state="expired")
    revoked = Credential.objects.filter(state=Credential.State.REVOKED)
    revoked.filter(state_since__lt=now - timedelta(days=30)).update(secret=None, lookup=None)
    passages, _models = Passage.objects.filter(at__lt=now - timedelta(days=Passage.RETENTION_DAYS)).delete()
    ended = now - timedelta(days=Credential.RETENTION_DAYS)
    over = Q(state=Credential.State.REVOKED, state_since__lt=ended) | Q(valid_until__lt=ended)
    gone = list(Credential.objects.filter(over).values_list("pk", flat=True))
    codes = [f"pass-{pk}" for pk in gone]
    Assignment.objects.filter(credential__in=gone).delete()
    AccessLevel.objects.filter(code__in=codes).delete()
    Schedule.objects.filter(code__in=codes).delete()
    Credential.objects.filter(pk__in=gone).delete()
    assignments, _models = Assignment.objects.filter(until__lt=ended).delete()
    proof = now - timedelta(days=Receipt.RETENTION_DAYS)
    receipts, _models = Receipt.objects.filter(asked_at__lt=proof).delete()
    purged = Purged(passages, len(gone), assignments, receipts, prune(actor))
    if any(asdict(purged).values()):
        record(actor, Act("doors.purge", data=asdict(purged)))
    return purged
