from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.referrals.models import Referral
from shoufu.kernel.referrals.services.lines import say
from shoufu.kernel.referrals.telling import tell_senders
from shoufu.kernel.referrals.terms import read_terms


@transaction.atomic
def chase_unreceived(now: datetime | None = None, most: int = 200) -> int:
    """Tell the senders of referrals that nobody received in the time agreed, once each. Returns how many."""
    moment = now or timezone.now()
    rows = Referral.objects.filter(state=Referral.State.SENT, chased_at__isnull=True)
    rows = rows.select_related("case__place", "destination__place").order_by("pk")
    late = [
        referral
        for referral in rows.select_for_update(of=("self",), skip_locked=True)[:most]
        if referral.sent_at + timedelta(minutes=read_terms(referral.destination.policy).receive_minutes) <= moment
    ]
    for referral in late:
        referral.chased_at = moment
        referral.save(update_fields=["chased_at"])
        say(referral, SYSTEM, "late")
        tell_senders(SYSTEM, "referral.late", referral)
    return len(late)
