from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.referrals.models import Handling, Message, Receipt, Referral


@transaction.atomic
def expire(now: datetime | None = None) -> int:
    """Delete sent messages and receipts past their retention, and blank whom to call about old referrals and who said
    what. Messages that were never acknowledged stay. Returns how many rows were touched."""
    moment = now or timezone.now()
    sent = moment - timedelta(days=Message.RETENTION_DAYS)
    done = [Message.State.ACKNOWLEDGED, Message.State.FAILED]
    figures = {
        "messages": Message.objects.filter(state__in=done, sent__lt=sent).delete()[0],
        "receipts": Receipt.objects.filter(at__lt=moment - timedelta(days=Receipt.RETENTION_DAYS)).delete()[0],
    }
    ended = Referral.objects.exclude(state__in=Referral.OPEN).filter(
        sent_at__lt=moment - timedelta(days=Referral.RETENTION_DAYS)
    )
    figures["lines"] = Handling.objects.filter(referral__in=ended).delete()[0]
    figures["referrals"] = ended.exclude(contact=None, handled_by="").update(contact=None, handled_by="")
    if any(figures.values()):
        record(SYSTEM, Act("referrals.expire", object_type="referrals.referral", data=figures))
    return sum(figures.values())
