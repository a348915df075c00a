"""Taking part: by the person on their phone, or at the office's desk with the person there, which is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import welfare as engine
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.observations.services import forget_rows
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import has_consent, homes
from shoufu.kernel.parties.services import give_consent as note_consent
from shoufu.kernel.privacy import selectors as privacy
from shoufu.kernel.privacy.models import Delegation
from shoufu.kernel.privacy.services import give_consent, withdraw_consent
from shoufu.scenes.community.welfare.minding import FIELDS, keep, keys_of, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Helper, Sensor, Watch
from shoufu.scenes.community.welfare.services import ladder, ticking
from shoufu.scenes.community.welfare.services.common import CONSENT, MANAGE, locked_check, locked_watch, sealed

MOST_HELPERS = 3
LONGEST_PAUSE = timedelta(days=90)


@dataclass(frozen=True)
class JoinDraft:
    """How somebody takes part: the ids of the home's sensors that may be read (none: the daily button instead)."""

    sensors: Sequence[int] = ()
    button_at: str = "10:00"


@dataclass(frozen=True)
class HelperDraft:
    """Whom to ask: what the person calls them, a phone number, or a registered person who may act for them."""

    name: str
    phone: str = ""
    known: int | None = None


def whose(actor: Actor, person_id: int | None) -> Person:
    """Oneself, or at the desk somebody of the actor's places (right "welfare.manage"); NotFound otherwise."""
    if person_id is None:
        require_anywhere(actor, "own.request")
        return privacy.subject(actor, None, "")
    found = Person.objects.select_related("place").filter(pk=person_id, erased_at__isnull=True).first()
    if found is None or not actor.may(MANAGE, found.place.path):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return found


def _act(action: str, row: Watch, **data: object) -> Act:
    return Act(action, row, row.place_id, subject=row.person_id, data=data)


@transaction.atomic
def join(actor: Actor, draft: JoinDraft, person_id: int | None = None, how: str = "") -> Watch:
    """Take part. Gives the consent "welfare" where it is not there; at the desk `how` says how the person said so."""
    person = whose(actor, person_id)
    if Watch.objects.filter(person=person).exists():
        raise Conflict(_("They take part already."))
    lived = homes(person.pk)
    if not lived:
        raise Conflict(_("Nobody is registered as living anywhere under this name; the property office mends that."))
    if person_id is not None and not how.strip():
        raise Invalid.one("how", _("Say how the person allowed it, such as: at the desk, in person."))
    button_at = _time(draft.button_at)
    if not has_consent(person.pk, CONSENT):
        if person_id is None:
            give_consent(actor, CONSENT)
        else:
            note_consent(actor, person.pk, CONSENT, how)
    row = Watch.objects.create(
        person=person,
        household=lived[0],
        place=lived[0].place,
        button_at=button_at,
        how=how.strip()[:120] or _("By themselves, on the page"),
    )
    _link(row, draft.sensors)
    _set_mode(row, Watch.Mode.SENSORS if draft.sensors else Watch.Mode.BUTTON, button_at)
    record(actor, _act("welfare.join", row, mode=row.mode, sensors=len(draft.sensors)))
    return row


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        raise Invalid.one("button_at", _("Write the time as hours and minutes, such as 10:00.")) from None


def _link(row: Watch, ids: Sequence[int]) -> None:
    mine = Sensor.objects.select_for_update().filter(household=row.household_id)
    wanted = set(ids)
    free = {one.pk for one in mine if one.watch_id in (None, row.pk)}
    if wanted - free:
        raise Invalid.one("sensors", _("Choose among the sensors of your own home."))
    mine.filter(watch=row).exclude(pk__in=wanted).update(watch=None)
    mine.filter(pk__in=wanted).exclude(watch=row).update(watch=row, heard_at=None, lost_at=None)


def _set_mode(row: Watch, mode: str, button_at: time) -> None:
    row.mode, row.button_at = mode, button_at
    key = keys_of([row])[row.person_id]
    keep(row, key, opened(row, key))
    if mode == Watch.Mode.BUTTON:
        row.due_at = None if row.paused_until else ticking.next_button(row, timezone.now())
    row.save(update_fields=FIELDS)


@transaction.atomic
def set_mode(actor: Actor, mode: str, button_at: str = "10:00", person_id: int | None = None) -> Watch:
    """Change between the sensors and the daily button; what was learned stays."""
    row = locked_watch(whose(actor, person_id).pk)
    if mode not in Watch.Mode.values:
        raise Invalid.one("mode", _("Choose the sensors or the button."))
    if mode == Watch.Mode.SENSORS and not row.sensors.exists():
        raise Invalid.one("mode", _("There is no sensor in this home yet."))
    _set_mode(row, mode, _time(button_at))
    record(actor, _act("welfare.mode", row, mode=mode))
    return row


@transaction.atomic
def choose_sensors(actor: Actor, ids: Sequence[int], person_id: int | None = None) -> Watch:
    """Say which of the home's sensors may be read; without any, the daily button remains."""
    row = locked_watch(whose(actor, person_id).pk)
    _link(row, ids)
    if not ids:
        _set_mode(row, Watch.Mode.BUTTON, row.button_at)
    record(actor, _act("welfare.sensors", row, sensors=len(ids)))
    return row


@transaction.atomic
def add_helper(actor: Actor, draft: HelperDraft, person_id: int | None = None) -> Helper:
    """Name somebody to be asked after the person themselves."""
    person = whose(actor, person_id)
    row = locked_watch(person.pk)
    count = Helper.objects.filter(watch=row).count()
    errors = []
    if not draft.name.strip():
        errors.append(FieldError("name", _("Say whom to ask.")))
    if draft.known is not None and not Delegation.objects.filter(person=person, delegate=draft.known).exists():
        errors.append(FieldError("known", _("Choose somebody who may act for them.")))
    number = identifiers.phone(draft.phone) if draft.phone.strip() else ""
    if not number and draft.known is None:
        errors.append(FieldError("phone", _("Give a phone number.")))
    if count >= MOST_HELPERS:
        errors.append(FieldError("name", _("At most %(n)d people; remove one first.") % {"n": MOST_HELPERS}))
    if errors:
        raise Invalid(*errors)
    made = Helper.objects.create(
        watch=row,
        name=sealed(person.pk, draft.name.strip()[:40], "name"),
        phone=sealed(person.pk, number, "phone") if number else None,
        known_id=draft.known,
        position=count + 1,
    )
    record(actor, _act("welfare.add_helper", row))
    return made


@transaction.atomic
def remove_helper(actor: Actor, helper_id: int, person_id: int | None = None) -> None:
    """No longer ask somebody."""
    row = locked_watch(whose(actor, person_id).pk)
    found = Helper.objects.filter(pk=helper_id, watch=row).first()
    if found is None:
        raise NotFound(_("There is no such contact of yours."))
    record(actor, _act("welfare.remove_helper", row))
    found.delete()


@transaction.atomic
def pause(actor: Actor, until: datetime) -> Watch:
    """Not to be watched until then (a holiday); a check that is open ends as answered."""
    row = locked_watch(whose(actor, None).pk)
    now = timezone.now()
    if not now < until <= now + LONGEST_PAUSE:
        raise Invalid.one("until", _("Choose a day within the next %(n)d days.") % {"n": LONGEST_PAUSE.days})
    _end_open(row.person_id, actor, now)
    row.refresh_from_db(fields=["kept"])
    key = keys_of([row])[row.person_id]
    watch = opened(row, key)
    watch.state = engine.State()
    row.paused_until, row.due_at = until, None
    keep(row, key, watch)
    row.save(update_fields=FIELDS)
    record(actor, _act("welfare.pause", row, until=until.isoformat()))
    return row


def _end_open(person_id: int, actor: Actor, now: datetime) -> None:
    for pk in Check.objects.filter(person=person_id, ended_at__isnull=True).values_list("pk", flat=True):
        check = locked_check(pk)
        if check is not None and check.ended_at is None:
            ladder.end(check, Check.Outcome.FINE, actor, now)


@transaction.atomic
def unpause(actor: Actor) -> Watch:
    """Be watched again from now on."""
    row = locked_watch(whose(actor, None).pk)
    if row.paused_until is None:
        return row
    now = timezone.now()
    ticking.resume(row, keys_of([row])[row.person_id], now)
    if row.mode == Watch.Mode.BUTTON:
        row.due_at = ticking.next_button(row, now)
        row.save(update_fields=["due_at"])
    record(actor, _act("welfare.unpause", row))
    return row


@transaction.atomic
def press(actor: Actor) -> Watch:
    """ "I am fine", unasked or as the daily button: a sign of life, and the answer to an open check."""
    row = locked_watch(whose(actor, None).pk)
    now = timezone.now()
    _end_open(row.person_id, actor, now)
    row.refresh_from_db(fields=["kept"])
    key = keys_of([row])[row.person_id]
    watch = opened(row, key)
    if row.paused_until is None:
        watch.said(wall(now, zone_of(row)))
    keep(row, key, watch)
    if row.mode == Watch.Mode.BUTTON and row.paused_until is None:
        row.due_at = ticking.next_button(row, _end_of_day(row, now))
    row.save(update_fields=FIELDS)
    record(actor, _act("welfare.press", row))
    return row


def _end_of_day(row: Watch, now: datetime) -> datetime:
    """The last moment of the local day: what is pressed early counts for today's time."""
    local = now.astimezone(zone_of(row))
    return datetime.combine(local.date(), time(23, 59, 59, 999999), zone_of(row))


def leave(actor: Actor) -> None:
    """Withdraw the consent: the watch ends at once, and what it learned is forgotten (see `stop`)."""
    require_anywhere(actor, "own.request")
    withdraw_consent(actor, CONSENT)


@transaction.atomic
def stop(actor: Actor, person_id: int) -> int:
    """End a person's watch: an open check, the contacts, what was learned and the sensors' rows go; how many watches.

    The consent, or the home, ended before: the caller's service checked the right.
    """
    row = Watch.objects.select_for_update(of=("self",)).filter(person=person_id).first()
    if row is None:
        return 0
    now = timezone.now()
    for pk in Check.objects.filter(person=person_id, ended_at__isnull=True).values_list("pk", flat=True):
        check = locked_check(pk)
        if check is not None and check.ended_at is None:
            ladder.end(check, Check.Outcome.WITHDRAWN, actor, now)
    devices = list(Sensor.objects.filter(watch=row).values_list("device", flat=True))
    Sensor.objects.filter(watch=row).update(watch=None, heard_at=None, lost_at=None)
    forget_rows(SYSTEM, ticking.ACTIVITY, devices)
    record(actor, _act("welfare.stop", row))
    row.delete()
    return 1
