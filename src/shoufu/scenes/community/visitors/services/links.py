"""Visitors' links: a secret of 128 bits opens one page, and whoever guesses is counted, refused and reported."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import NotFound, Problem
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.doors.models import Credential
from shoufu.kernel.doors.services import IssuedPass, show_link
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.visitors.models import Invitation, LinkTry
from shoufu.scenes.community.visitors.services.common import hash_of

WINDOW = timedelta(minutes=10)
MOST_OF_ONE = 20
"""Wrong links that one address may try in ten minutes; then it is refused whatever it brings."""
MOST_OF_ALL = 500
"""Wrong links of everybody in ten minutes, after which the property office is told."""
EVERYBODY = b""


class TooMany(Problem):
    """Too many wrong links from here (429)."""

    def __init__(self) -> None:
        detail = _("Too many wrong links were tried from here. Wait ten minutes, or go to the guard.")
        super().__init__(title=_("Wait a moment"), detail=detail, status=429, kind="too-many")


def _source(address: str) -> bytes:
    return keyring.ring().lookup(address, "visitors.link")


def _tried(source: bytes, now: datetime) -> int:
    rows = LinkTry.objects.filter(source=source, minute__gt=now - WINDOW)
    return int(rows.aggregate(sum=Sum("count"))["sum"] or 0)


def _count(source: bytes, now: datetime) -> int:
    """Count one more; how many in this minute."""
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LinkTry._meta.db_table} (minute, source, count) VALUES (%s, %s, 1) "
            "ON CONFLICT (minute, source) DO UPDATE SET count = community_visitors_linktry.count + 1 "
            "RETURNING count",
            [minute, source],
        )
        return int(cursor.fetchone()[0])


def open_link(token: str, address: str, now: datetime | None = None) -> Invitation:
    """The visit behind a link. `address`: where the request comes from; of wrong ones a keyed hash is kept for a week.

    NotFound for a wrong link; TooMany after 20 wrong ones from one address in ten minutes, whatever comes then.
    Everybody's wrong links are counted too: at 500 in ten minutes the property offices are told, once an hour. A right
    link opens all the same from elsewhere, because 128 bits are not guessed, and nobody must be locked out by others.
    """
    moment = now or timezone.now()
    source = _source(address)
    tried = _tried(source, moment)
    if tried >= MOST_OF_ONE:
        _note_wrong(source, moment, tried)
        raise TooMany
    try:
        return open_invitation(token)
    except NotFound:
        _note_wrong(source, moment, tried)
        raise


@transaction.atomic
def _note_wrong(source: bytes, now: datetime, tried: int) -> None:
    """Count a wrong link; the address that is refused from now on is logged once. Everybody's sum is looked at now and
    then only: who reaches 500 in ten minutes has 25 in one of them."""
    _count(source, now)
    if tried + 1 == MOST_OF_ONE:
        data = {"tries": MOST_OF_ONE}
        record(SYSTEM, Act("visitors.link_refused", object_type="community_visitors.linktry", data=data))
    if _count(EVERYBODY, now) % 25 == 0 and (everybody := _tried(EVERYBODY, now)) >= MOST_OF_ALL:
        _report(everybody, now)


def _report(tries: int, now: datetime) -> None:
    """One case an hour for each compound with open links, however many tries."""
    recent = Case.objects.filter(kind="visitor.guessing", opened_at__gt=now - timedelta(hours=1))
    if recent.exists():
        return
    paths = Invitation.objects.filter(state__in=Invitation.OPEN, token_hash__isnull=False).values("place__path")
    parts = {int(part) for row in paths for part in row["place__path"].strip("/").split("/")}
    for place in Place.objects.filter(pk__in=parts, kind=Place.Kind.COMPOUND):
        text = _("%(n)d wrong links in ten minutes; none opened anything.") % {"n": tries}
        report(SYSTEM, CaseReport(place.pk, "有人在试访客链接", "medium", "visitor.guessing", text))


def open_invitation(token: str) -> Invitation:
    """The visit of a link's secret; NotFound for every other text, in the same words."""
    rows = Invitation.objects.select_related("household__place__parent__parent", "place", "visit__credential")
    found = rows.filter(token_hash=hash_of(token)).first() if 16 <= len(token) <= 32 else None
    if found is None:
        raise NotFound(_("This link is not valid. Ask whoever invited you for a new one."))
    return found


def code_of(row: Invitation) -> IssuedPass | None:
    """What the visitor's page shows at the doors; None where there is nothing to show (any more)."""
    now = timezone.now()
    usable = row.state in (Invitation.State.EXPECTED, Invitation.State.INSIDE)
    if row.visit is None or not usable or row.until <= now:
        return None
    if row.visit.credential.state != Credential.State.ACTIVE:
        return None
    return show_link(row.visit.pk)


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove visits 30 days after their end, and counts of wrong links after a week; how many rows."""
    ended = now - timedelta(days=Invitation.RETENTION_DAYS)
    removed = Invitation.objects.filter(until__lt=ended).delete()[0]
    removed += LinkTry.objects.filter(minute__lt=now - timedelta(days=LinkTry.RETENTION_DAYS)).delete()[0]
    if removed:
        record(SYSTEM, Act("visitors.retention", data={"rows": removed}))
    return removed
