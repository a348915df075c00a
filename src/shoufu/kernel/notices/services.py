from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.kernel.notices import channels
from shoufu.kernel.notices.models import Channel, Endpoint, Notice
from shoufu.kernel.notices.wording import Wording, wording
from shoufu.kernel.places.models import Place

ATTEMPTS = 6
FIRST_WAIT = timedelta(seconds=10)
LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class About:
    """What a notice is about: where, the case (if any), and the words for its placeholders in each language.

    `event` is unique to what happened ("17:3": version 3 of case 17): the same event is told once.
    """

    place: Place
    event: str
    words: Mapping[str, Mapping[str, str]]
    case_id: int | None = None


@dataclass(frozen=True)
class Recipient:
    """A user who is told, and the language in which."""

    user_id: int
    language: str
    organisation_id: int | None


def _place_ids(about: About) -> list[int]:
    return [int(part) for part in about.place.path.strip("/").split("/")]


def _holders(told: Sequence[tuple[About, tuple[str, ...]]]) -> dict[tuple[str, int], list[Recipient]]:
    """Who holds which role where, now: (role, place id) → recipients; one query for all."""
    roles = {role for _, names in told for role in names}
    places = {place for about, _ in told for place in _place_ids(about)}
    now = timezone.now()
    rows = RoleAssignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now),
        role__in=roles,
        place__in=places,
        since__lte=now,
        user__is_active=True,
    ).select_related("user")
    holders: dict[tuple[str, int], list[Recipient]] = {}
    for row in rows:
        recipient = Recipient(row.user_id, row.user.language, row.organisation_id)
        holders.setdefault((row.role, row.place_id), []).append(recipient)
    return holders


def _recipients(
    about: About, roles: Iterable[str], holders: dict[tuple[str, int], list[Recipient]]
) -> dict[int, Recipient]:
    """The nearest holders of each role: those at the innermost place that has any."""
    found: dict[int, Recipient] = {}
    for role in roles:
        for place in reversed(_place_ids(about)):
            if nearest := holders.get((role, place)):
                found |= {recipient.user_id: recipient for recipient in nearest}
                break
    return found


def _console(template: str, wording: Wording, about: About, recipient: Recipient, now: datetime) -> Notice:
    words = wording.fill(recipient.language, about.words[recipient.language])
    return Notice(
        id=uuid7(),
        template=template,
        user_id=recipient.user_id,
        channel=Channel.CONSOLE,
        case_id=about.case_id,
        place=about.place,
        subject=words.subject,
        body=words.body,
        state=Notice.State.DELIVERED,
        delivered_at=now,
        attempts=1,
        once=f"{template}:{about.event}:user:{recipient.user_id}",
    )


def _outward(template: str, wording: Wording, about: About, endpoint: Endpoint, language: str, now: datetime) -> Notice:
    words = wording.fill(language, about.words[language])
    return Notice(
        id=uuid7(),
        template=template,
        user_id=endpoint.user_id,
        endpoint=endpoint,
        channel=endpoint.channel,
        case_id=about.case_id,
        place=about.place,
        subject=words.subject,
        body=words.body,
        next_at=now,
        once=f"{template}:{about.event}:endpoint:{endpoint.pk}",
    )


@transaction.atomic
def notify_roles(actor: Actor, template: str, told: Sequence[tuple[About, tuple[str, ...]]]) -> list[Notice]:
    """Tell the nearest holders of the roles what happened: in the console at once, by their other channels soon.

    A constant number of queries however many events and people. The same event is told
    once to each recipient and channel, also when it is called again.
    """
    if not told:
        return []
    holders = _holders(told)
    chosen = [(about, _recipients(about, roles, holders)) for about, roles in told]
    return _queue(actor, template, chosen)


@transaction.atomic
def notify_user(actor: Actor, template: str, about: About, user_id: int) -> list[Notice]:
    """Tell one user, by all their channels."""
    from shoufu.kernel.access.models import User

    user = User.objects.get(pk=user_id)
    return _queue(actor, template, [(about, {user_id: Recipient(user_id, user.language, None)})])


def _queue(actor: Actor, template: str, chosen: Sequence[tuple[About, dict[int, Recipient]]]) -> list[Notice]:
    now = timezone.now()
    users = {user for _, recipients in chosen for user in recipients}
    organisations = {one.organisation_id for _, found in chosen for one in found.values() if one.organisation_id}
    endpoints = list(Endpoint.objects.filter(Q(user__in=users) | Q(organisation__in=organisations)))
    words = wording(template)
    notices: list[Notice] = []
    for about, recipients in chosen:
        notices += [_console(template, words, about, one, now) for one in recipients.values()]
        mine = {one.organisation_id for one in recipients.values()}
        for endpoint in endpoints:
            if endpoint.user_id in recipients:
                language = recipients[endpoint.user_id].language
            elif endpoint.organisation_id and endpoint.organisation_id in mine:
                language = "zh-hans"
            else:
                continue
            notices.append(_outward(template, words, about, endpoint, language, now))
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    for notice in notices:
        if notice.channel == Channel.CONSOLE:
            publish_on_commit("live.notice", _live(notice))
    return notices


def _live(notice: Notice) -> dict[str, Any]:
    return {
        "user": notice.user_id,
        "path": notice.place.path if notice.place else "",
        "event": "notice",
        "id": str(notice.pk),
        "data": {"subject": notice.subject, "body": notice.body, "case": notice.case_id},
    }


def _claim(now: datetime, most: int) -> list[Notice]:
    """Take what is due, for two minutes: a worker that dies in between leaves it to the next."""
    with transaction.atomic():
        states = [Notice.State.QUEUED, Notice.State.SENDING]
        rows = Notice.objects.filter(state__in=states, next_at__lte=now).order_by("next_at")
        notices = list(rows.select_for_update(skip_locked=True, of=("self",)).select_related("endpoint")[:most])
        for notice in notices:
            notice.state, notice.next_at = Notice.State.SENDING, now + LEASE
            notice.attempts += 1
        Notice.objects.bulk_update(notices, ["state", "next_at", "attempts"])
    return notices


def deliver_due(now: datetime | None = None, most: int = 50) -> int:
    """Send what is due; a failure waits 10 s, 40 s, … and after six attempts is final and shown. Returns how many.

    At least once: a crash between sending and noting it sends again, under the same id, so receivers can tell.
    """
    notices = _claim(now or timezone.now(), most)
    for notice in notices:
        _deliver(notice)
    return len(notices)


def _deliver(notice: Notice) -> None:
    if notice.endpoint is None:
        _settle(notice, Notice.State.CANCELLED, "the address was removed")
        return
    try:
        channels.send(notice, notice.endpoint)
    except channels.Gone as gone:
        Endpoint.objects.filter(pk=notice.endpoint.pk).delete()
        notice.endpoint = None
        _settle(notice, Notice.State.CANCELLED, str(gone))
    except channels.NotSent as problem:
        _retry(notice, notice.endpoint, str(problem))
    else:
        _settle(notice, Notice.State.DELIVERED, "")
        Endpoint.objects.filter(pk=notice.endpoint.pk, failing_since__isnull=False).update(failing_since=None)


def _retry(notice: Notice, endpoint: Endpoint, problem: str) -> None:
    Endpoint.objects.filter(pk=endpoint.pk, failing_since__isnull=True).update(failing_since=timezone.now())
    if notice.attempts >= ATTEMPTS:
        _settle(notice, Notice.State.FAILED, problem)
        return
    notice.state, notice.error = Notice.State.QUEUED, problem[:300]
    notice.next_at = timezone.now() + FIRST_WAIT * 4 ** (notice.attempts - 1)
    notice.save(update_fields=["state", "error", "next_at"])


def _settle(notice: Notice, state: str, problem: str) -> None:
    notice.state, notice.error, notice.next_at = state, problem[:300], None
    if state == Notice.State.DELIVERED:
        notice.delivered_at = timezone.now()
    notice.save(update_fields=["state", "error", "next_at", "delivered_at", "endpoint"])


@transaction.atomic
def mark_read(actor: Actor, ids: Sequence[UUID] | None = None) -> int:
    """The actor has read these notices of their own (all of them without `ids`). Returns how many."""
    rows = Notice.objects.filter(user=actor.user_id, channel=Channel.CONSOLE, state=Notice.State.DELIVERED)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    return rows.update(state=Notice.State.READ, read_at=timezone.now())


@transaction.atomic
def add_endpoint(
    actor: Actor, channel: str, address: dict[str, Any], secret: str = "", organisation_id: int | None = None
) -> Endpoint:
    """Add a way to reach the actor, or an organisation whose notices they manage; its channel checks the address."""
    if channel not in channels.DRIVERS:
        raise Invalid.one("channel", _("Choose one of: %(all)s.") % {"all": ", ".join(sorted(channels.DRIVERS))})
    channels.DRIVERS[channel].check(address)
    if organisation_id is not None:
        _require_organisation(actor, organisation_id)
    made = Endpoint.objects.create(
        user_id=None if organisation_id else actor.user_id,
        organisation_id=organisation_id,
        channel=channel,
        address=address,
        secret=keyring.ring().encrypt(secret.encode(), b"notices.endpoint") if secret else None,
    )
    record(actor, Act("notices.endpoint.add", made, data={"channel": channel}))
    return made


def _require_organisation(actor: Actor, organisation_id: int) -> None:
    from shoufu.kernel.parties.models import Organisation

    organisation = Organisation.objects.select_related("place").filter(pk=organisation_id).first()
    if organisation is None or not actor.may("notices.manage", organisation.place.path):
        raise Forbidden(_("You need the right to manage notices of this organisation."))


@transaction.atomic
def remove_endpoint(actor: Actor, endpoint_id: int) -> None:
    """Remove a way to reach the actor or an organisation they manage; what is queued for it is cancelled."""
    endpoint = Endpoint.objects.select_related("organisation__place").filter(pk=endpoint_id).first()
    own = endpoint is not None and endpoint.user_id is not None and endpoint.user_id == actor.user_id
    managed = endpoint is not None and endpoint.organisation is not None
    managed = managed and actor.may("notices.manage", endpoint.organisation.place.path)  # type: ignore[union-attr]
    if endpoint is None or not (own or managed):
        raise NotFound(_("There is no such address of yours."))
    record(actor, Act("notices.endpoint.remove", endpoint, data={"channel": endpoint.channel}))
    Notice.objects.filter(endpoint=endpoint, state=Notice.State.QUEUED).update(
        state=Notice.State.CANCELLED, next_at=None
    )
    endpoint.delete()


@transaction.atomic
def expire(now: datetime | None = None) -> int:
    """Delete notices older than a year. Returns how many."""
    old = (now or timezone.now()) - timedelta(days=Notice.RETENTION_DAYS)
    gone = Notice.objects.filter(created_at__lt=old).delete()[0]
    if gone:
        record(SYSTEM, Act("notices.expire", object_type="notices.notice", data={"count": gone}))
    return gone
