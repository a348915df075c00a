from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.devices.models import Device
from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.selectors import phones
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.welfare.models import Check, Helper, Ladder, Sensor, Watch
from shoufu.scenes.community.welfare.services.common import (
    DOOR,
    MANAGE,
    VISIT,
    act,
    clear,
    locked_watch,
)
from shoufu.scenes.community.welfare.services.taking_part import HelperDraft, JoinDraft, add_helper, join, whose

Step = Check.Step
ADMINISTRATOR, USUAL = "administrator", "community_worker"
SENSING = (Device.Kind.SENSOR, Device.Kind.DOOR_CONTROLLER)


@dataclass(frozen=True)
class SensorDraft:
    """A device that was installed in a home: its number as printed on it, and what it says (a `Sensor.Role`)."""

    household: int
    device: str
    role: str = Sensor.Role.ACTIVITY


@transaction.atomic
def add_sensors(actor: Actor, drafts: Sequence[SensorDraft]) -> list[Sensor]:
    """Note which devices hang in which homes. Nothing is read of them before the resident lets a watch do so."""
    homes = limit(Household.objects.all(), actor, MANAGE).in_bulk([one.household for one in drafts])
    codes = [one.device.strip() for one in drafts]
    rows = limit(Device.objects.all(), actor, MANAGE).select_related("place").filter(code__in=codes)
    devices = {one.code: one for one in rows.filter(retired_at__isnull=True)}
    errors, made = [], []
    for draft in drafts:
        home, device = homes.get(draft.household), devices.get(draft.device.strip())
        if home is None:
            errors.append(FieldError("home", _("There is no such home in your places. Write it like 5-2-301.")))
        if device is None or device.kind not in SENSING:
            errors.append(FieldError("device", _("There is no sensor of this number in your places.")))
        if draft.role not in Sensor.Role.values:
            errors.append(FieldError("role", _("Say whether it sees movement or the door.")))
        if home is not None and device is not None:
            made.append(Sensor(household=home, device=device, role=draft.role))
    if errors:
        raise Invalid(*errors)
    try:
        with transaction.atomic():
            saved = Sensor.objects.bulk_create(made)
    except IntegrityError as error:
        raise Invalid.one("device", _("This sensor is noted for a home already.")) from error
    record_many(actor, [Act("welfare.add_sensor", one, one.household.place_id) for one in saved])
    return saved


@transaction.atomic
def remove_sensor(actor: Actor, sensor_id: int) -> None:
    """A device no longer hangs in a home."""
    found = limit(Sensor.objects.all(), actor, MANAGE, "household__place__path").filter(pk=sensor_id).first()
    if found is None:
        raise NotFound(_("There is no sensor %(id)s that you may manage.") % {"id": sensor_id})
    record(actor, Act("welfare.remove_sensor", found, found.household.place_id))
    found.delete()


@transaction.atomic
def enrol(
    actor: Actor, person_id: int, how: str, draft: JoinDraft, helpers: Sequence[HelperDraft] = (), role: str = ""
) -> Watch:
    """At the desk, with the resident there: consent, sensors, contacts and the worker's role in one act."""
    row = join(actor, draft, person_id, how)
    for helper in helpers:
        add_helper(actor, helper, person_id)
    if role:
        set_worker(actor, role, person_id)
    return row


def worker_roles() -> list[tuple[str, str, str]]:
    """Code, Chinese and English name of the roles that may be asked to look in."""
    found = [one for one in registry.roles().values() if VISIT in one.permissions and one.code != ADMINISTRATOR]
    found.sort(key=lambda one: one.code != USUAL)
    return [(one.code, one.name, one.name_en) for one in found]


@transaction.atomic
def set_worker(actor: Actor, role: str, person_id: int | None = None) -> Watch:
    """Say which role is asked after the contacts."""
    row = locked_watch(whose(actor, person_id).pk)
    if role not in {code for code, _name, _english in worker_roles()}:
        raise Invalid.one("worker_role", _("Choose a role that looks in on people."))
    row.worker_role = role
    row.save(update_fields=["worker_role"])
    record(actor, Act("welfare.worker", row, row.place_id, subject=row.person_id, data={"role": role}))
    return row


@dataclass(frozen=True)
class LadderDraft:
    """Minutes of each step in a compound."""

    place: int
    resident_minutes: int = 15
    contact_minutes: int = 20
    worker_minutes: int = 30
    going_minutes: int = 30


@transaction.atomic
def set_ladder(actor: Actor, draft: LadderDraft) -> Ladder:
    """Set how long each step waits in a compound; running steps keep their time."""
    place = limit(Place.objects.filter(kind=Place.Kind.COMPOUND), actor, MANAGE, "path").filter(pk=draft.place).first()
    names = ("resident_minutes", "contact_minutes", "worker_minutes", "going_minutes")
    wanted = {name: getattr(draft, name) for name in names}
    errors = [FieldError(name, _("Between 1 and 240 minutes.")) for name in names if not 1 <= wanted[name] <= 240]
    if place is None:
        errors.append(FieldError("place", _("Choose a compound that you manage.")))
    if errors or place is None:
        raise Invalid(*errors)
    row, _made = Ladder.objects.update_or_create(place=place, defaults=wanted)
    record(actor, Act("welfare.ladder", row, place.pk, data=wanted))
    return row


@dataclass(frozen=True)
class Called:
    """What whoever looks in needs to know, and nothing of how the home was silent."""

    name: str
    phone: str
    helpers: list[tuple[str, str]]


@transaction.atomic
def look(actor: Actor, check_id: int) -> Called:
    """Name, phone and contacts of an open check for the worker or the guard; each look is recorded."""
    rows = Check.objects.select_related("place", "person", "household__place").filter(ended_at__isnull=True)
    check = rows.filter(pk=check_id).first()
    if check is None or not _looks_in(actor, check):
        raise NotFound(_("There is no welfare check %(id)s that you may answer.") % {"id": check_id})
    record(actor, act("welfare.look", check, reason=_("Open welfare check")))
    key = subjects.known_keys([check.person_id]).get(check.person_id)
    helpers = Helper.objects.filter(watch=check.watch_id).select_related("watch") if check.watch_id else []
    known = phones([one.known_id for one in helpers if one.known_id is not None])
    listed = [
        (clear(key, one, "name"), clear(key, one, "phone") or known.get(one.known_id or 0, "")) for one in helpers
    ]
    return Called(check.person.name, phones([check.person_id]).get(check.person_id, ""), listed)


def _looks_in(actor: Actor, check: Check) -> bool:
    path = check.place.path
    if check.step in (Step.WORKER, Step.DOOR) and actor.may(VISIT, path):
        return True
    return check.step == Step.DOOR and actor.may(DOOR, path)
