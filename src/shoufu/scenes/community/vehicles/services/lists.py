from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles.models import ListEntry

MANAGE, GUARD, OWN = "vehicles.manage", "vehicles.guard", "own.view"


@dataclass(frozen=True)
class EntryDraft:
    """A plate for a list of a place: why, from when (default: now) until when, for how many passages (None: any)."""

    plate: str
    place: int
    list: str
    purpose: str
    until: datetime
    since: datetime | None = None
    passes: int | None = None
    person: int | None = None


def _place(actor: Actor, place_id: int, right: str) -> Place:
    place = Place.objects.filter(pk=place_id, closed_at__isnull=True).first()
    if place is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    policy.require(actor, right, place)
    return place


@transaction.atomic
def add_entry(actor: Actor, draft: EntryDraft) -> ListEntry:
    """Put a plate on a list. Guards add visitors; the other lists are the manager's."""
    right = GUARD if draft.list == ListEntry.List.VISITOR else MANAGE
    return _add(actor, draft, _place(actor, draft.place, right))


def _add(actor: Actor, draft: EntryDraft, place: Place) -> ListEntry:
    errors: list[FieldError] = []
    plate, since = "", draft.since or timezone.now()
    try:
        plate = identifiers.plate(draft.plate)
    except Invalid as problem:
        errors += problem.errors
    if draft.list not in ListEntry.List.values:
        kinds = ", ".join(ListEntry.List.values)
        errors.append(FieldError("list", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    if not draft.purpose.strip():
        errors.append(FieldError("purpose", _("Say what for; it is kept with the entry.")))
    if draft.until <= max(since, timezone.now()):
        errors.append(FieldError("until", _("Must lie ahead, after the beginning.")))
    if draft.passes is not None and not 1 <= draft.passes <= 1000:
        errors.append(FieldError("passes", _("Between 1 and 1000 passages.")))
    if errors:
        raise Invalid(*errors)
    entry = ListEntry(
        plate=plate,
        list=draft.list,
        place=place,
        purpose=draft.purpose.strip()[:200],
        author=actor.label[:120],
        person_id=draft.person,
        since=since,
        until=draft.until,
        passes=draft.passes,
    )
    entry.save()
    record(actor, Act("vehicles.add_entry", entry, place=place.pk, subject=draft.person, data={"list": entry.list}))
    return entry


@transaction.atomic
def invite_vehicle(
    actor: Actor, plate: str, place: int, since: datetime, until: datetime, reason: str, passes: int | None = 2
) -> ListEntry:
    """A visitor's car may pass a compound's gate; residents invite to the compound they live in.

    `passes` counts ways in. Invalid names what is wrong; NotFound where the actor neither lives nor works there.
    """
    found = Place.objects.filter(pk=place, closed_at__isnull=True).first()
    if found is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place})
    host = _host(actor, found)
    if host is None:
        policy.require(actor, GUARD, found)
    draft = EntryDraft(plate, place, ListEntry.List.VISITOR, reason, until, since, passes, host)
    return _add(actor, draft, found)


def _host(actor: Actor, place: Place) -> int | None:
    """The person behind a resident's account who lives in this place now."""
    if actor.kind != "user" or not actor.may_anywhere(OWN):
        return None
    rows = Person.objects.filter(user__pk=int(actor.id), erased_at__isnull=True)
    homes = rows.filter(residencies__ended_at__isnull=True, residencies__household__place__path__startswith=place.path)
    return homes.values_list("pk", flat=True).first()


@transaction.atomic
def revoke_entries(actor: Actor, ids: Sequence[int], reason: str) -> int:
    """Take plates off their lists at this moment; how many. Guards revoke visitors, hosts their own."""
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    rows = ListEntry.objects.select_for_update(of=("self",)).select_related("place", "person__user")
    entries = list(rows.filter(pk__in=list(ids), revoked_at__isnull=True).order_by("pk"))
    for entry in entries:
        own = entry.person is not None and getattr(entry.person, "user", None) and str(entry.person.user.pk) == actor.id
        right = GUARD if entry.list == ListEntry.List.VISITOR else MANAGE
        if not (own and actor.kind == "user"):
            policy.require(actor, right, entry.place)
        entry.revoked_at = timezone.now()
    ListEntry.objects.bulk_update(entries, ["revoked_at"])
    record_many(
        actor, [Act("vehicles.revoke_entry", entry, place=entry.place_id, reason=reason.strip()) for entry in entries]
    )
    return len(entries)
