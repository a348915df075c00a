"""The queue to webhooks: acknowledge before delete, back-off, a second path, tests and heartbeats, outages."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from standardwebhooks.webhooks import Webhook

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases import services as cases
from shoufu.kernel.notices.channels.errors import Gone, NotSent
from shoufu.kernel.notices.channels.http import post
from shoufu.kernel.referrals.messages import content_of
from shoufu.kernel.referrals.models import Destination, Message, Referral
from shoufu.kernel.referrals.services.lines import say
from shoufu.kernel.referrals.services.sending import queue_test
from shoufu.kernel.referrals.telling import outage_case, tell_senders
from shoufu.kernel.referrals.terms import read_terms

LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
# An alert is tried for a day; a test or heartbeat that comes late says nothing.
ATTEMPTS = {Message.Kind.TEST: 3, Message.Kind.HEARTBEAT: 1}
MOST_ATTEMPTS = 300
WAITING = [Message.State.QUEUED, Message.State.SENDING]


def _claim(now: datetime, most: int) -> list[Message]:
    """Take what is due, for two minutes. Of one referral only the oldest: an update must not overtake its alert."""
    with transaction.atomic():
        before = Message.objects.filter(referral=OuterRef("referral"), state__in=WAITING, pk__lt=OuterRef("pk"))
        rows = Message.objects.filter(state__in=WAITING, next_at__lte=now)
        rows = rows.filter(Q(referral__isnull=True) | ~Exists(before)).order_by("next_at")
        chosen = list(rows.select_for_update(of=("self",), skip_locked=True).select_related("destination")[:most])
        for message in chosen:
            message.state, message.next_at = Message.State.SENDING, now + LEASE
            message.attempts += 1
        Message.objects.bulk_update(chosen, ["state", "next_at", "attempts"])
    return chosen


def deliver_due(now: datetime | None = None, most: int = 50) -> int:
    """Send what is due. Returns how many were acknowledged.

    At least once: after a crash a message goes out again under the same webhook-id, and the receiver drops it.
    """
    return sum(_deliver(message) for message in _claim(now or timezone.now(), most))


def _headers(message: Message, body: bytes, now: datetime) -> dict[str, str]:
    secret = keyring.ring().decrypt(bytes(message.destination.secret or b""), b"referrals.secret").decode()
    signature = Webhook(secret).sign(message.identifier, now.astimezone(ZoneInfo("UTC")), body.decode())
    return {
        "content-type": message.content_type,
        "webhook-id": message.identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def _deliver(message: Message) -> bool:
    destination, body, problems = message.destination, content_of(message), []
    paths = [url for url in (destination.url, destination.second_url) if url]
    for number, url in enumerate(paths, 1):
        try:
            post(url, body, _headers(message, body, timezone.now()))
        except (NotSent, Gone) as problem:
            problems.append(str(problem))
            continue
        _acknowledged(message, number)
        return True
    _not_sent(message, "; ".join(problems))
    return False


@transaction.atomic
def _acknowledged(message: Message, path: int) -> None:
    now = timezone.now()
    message.state, message.next_at, message.path = Message.State.ACKNOWLEDGED, None, path
    message.acknowledged_at, message.error = now, ""
    message.save(update_fields=["state", "next_at", "path", "acknowledged_at", "error"])
    if message.referral_id is not None:
        Referral.objects.filter(pk=message.referral_id, delivered_at__isnull=True).update(delivered_at=now)
    _answered(message.destination_id, now)


def _answered(destination_id: int, now: datetime) -> None:
    row = Destination.objects.select_for_update(of=("self",)).select_related("outage__place").get(pk=destination_id)
    row.heard_at, row.failing_since = now, None
    over = outage_case(row)
    row.outage = None
    row.save(update_fields=["heard_at", "failing_since", "outage"])
    if over is not None:
        with translation.override("zh-hans"):
            cases.note(SYSTEM, over.pk, _("The line answers again."))


@transaction.atomic
def _not_sent(message: Message, problem: str) -> None:
    now = timezone.now()
    Destination.objects.filter(pk=message.destination_id, failing_since__isnull=True).update(failing_since=now)
    message.error = problem[:300]
    if message.attempts >= ATTEMPTS.get(Message.Kind(message.kind), MOST_ATTEMPTS):
        message.state, message.next_at = Message.State.FAILED, None
        message.save(update_fields=["state", "next_at", "error"])
        if message.referral is not None:
            say(message.referral, SYSTEM, "undelivered", problem)
            tell_senders(SYSTEM, "referral.undelivered", message.referral)
        return
    wait = min(FIRST_WAIT * 2 ** min(message.attempts - 1, 10), LONGEST_WAIT)
    message.state, message.next_at = Message.State.QUEUED, now + wait
    message.save(update_fields=["state", "next_at", "error"])


@transaction.atomic
def beat(now: datetime | None = None) -> int:
    """Queue the heartbeats and daily tests that are due; raise a case for lines that are down. Returns how many
    messages were queued."""
    moment, count = now or timezone.now(), 0
    rows = Destination.objects.filter(active=True).select_related("place", "organisation", "outage")
    for row in rows.select_for_update(of=("self",), skip_locked=True):
        terms = read_terms(row.policy)
        if _test_due(row, moment):
            queue_test(row, Message.Kind.TEST)
            record(SYSTEM, Act("referrals.test", row, row.place_id))
            count += 1
        if row.channel != Destination.Channel.WEBHOOK:
            continue
        if terms.heartbeat_minutes and _quiet(row, moment - timedelta(minutes=terms.heartbeat_minutes)):
            queue_test(row, Message.Kind.HEARTBEAT)
            count += 1
        if row.failing_since and row.failing_since <= moment - timedelta(minutes=terms.outage_minutes):
            _raise_outage(row)
    return count


def _test_due(row: Destination, now: datetime) -> bool:
    """Once a day from the agreed time on, by the destination's own clock; a missed one is caught up within the day."""
    at = read_terms(row.policy).test_time
    local = now.astimezone(ZoneInfo(row.place.time_zone))
    if at is None or local.time() < at:
        return False
    return row.tested_at is None or row.tested_at.astimezone(local.tzinfo).date() < local.date()


def _quiet(row: Destination, since: datetime) -> bool:
    """Nothing was heard of the line since then, and no heartbeat is under way."""
    if row.heard_at is not None and row.heard_at > since:
        return False
    return (
        not Message.objects.filter(destination=row, kind=Message.Kind.HEARTBEAT)
        .filter(Q(state__in=WAITING) | Q(sent__gt=since))
        .exists()
    )


def _raise_outage(row: Destination) -> None:
    if outage_case(row) is not None:
        return
    with translation.override("zh-hans"):
        title = _("No answer from %(name)s") % {"name": row.name}
        text = _("Cases wait in the queue. Call them by telephone, and check the line.")
    draft = cases.CaseReport(row.place_id, title, "high", "referral.unreachable", text)
    row.outage = cases.report(SYSTEM, draft)
    row.save(update_fields=["outage"])
