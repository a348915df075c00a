from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.privacy import deposits, exports
from shoufu.kernel.privacy.models import DataRequest, Delegation, Export, LegalHold, Secrecy, Tombstone


@app.task(queue="privacy", pass_context=False)
def build_export(export_id: str) -> None:
    """Make a copy of everything held on a person."""
    exports.build(UUID(export_id))


@app.periodic(cron="41 3 * * *")
@app.task(queue="privacy", queueing_lock="privacy.purge", pass_context=False)
def purge(timestamp: int) -> int:
    """Every night: what privacy itself keeps goes when its days are over. Returns how many rows and files."""
    return purge_due()


def purge_due() -> int:
    """Copies after a week, ended grants, answered requests, past secrecies and holds after three years, what a law kept
    after its day, and what a proof recognises people by after its promised day."""
    now = timezone.now()
    ended = deposits.expire(now)
    with transaction.atomic():
        old = list(Export.objects.filter(expires_at__lte=now).values_list("pk", flat=True))
        Export.objects.filter(pk__in=old).delete()
        before = now - timedelta(days=Delegation.RETENTION_DAYS)
        rows = (
            Delegation.objects.filter(withdrawn_at__lte=before),
            Delegation.objects.filter(until__lte=before),
            DataRequest.objects.filter(answered_at__lte=before),
            Secrecy.objects.filter(until__lte=before),
            LegalHold.objects.filter(released_at__lte=before),
        )
        gone = sum(one.delete()[0] for one in rows)
        blind = Tombstone.objects.filter(proof_until__lte=now).exclude(tokens=[]).update(tokens=[])
        if gone or old or blind:
            data = {"exports": len(old), "rows": gone, "proofs": blind}
            record(SYSTEM, Act("privacy.purge", data=data, object_type="privacy"))
    exports.sweep()
    return gone + len(old) + blind + ended
