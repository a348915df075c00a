from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.doors.models import Controller, Credential, DoorGroup, HashKey, RuleSet
from shoufu.kernel.doors.services.common import locked
from shoufu.kernel.doors.services.rulesets import publish


def fresh(device_id: int) -> Controller:
    """A controller that is trusted from now on (not saved)."""
    return Controller(device_id=device_id, trusted_at=timezone.now())


@transaction.atomic
def trust(actor: Actor, device_id: int) -> Controller:
    """Give a controller rule sets (again); after a repair, or when it replaces another."""
    row = locked(actor, Controller.objects.all(), device_id, path="device__place")
    row.trusted_at, row.distrusted_at = timezone.now(), None
    row.save(update_fields=["trusted_at", "distrusted_at"])
    record(actor, _act("doors.trust", row, ""))
    publish(actor, [device_id], "trusted")
    return row


@transaction.atomic
def distrust(actor: Actor, device_id: int, reason: str) -> Controller:
    """A controller was stolen or replaced: it gets nothing more, and what it knew is worth nothing.

    The keys that it held are changed: every code of its compound and every hash in all rule sets are made anew, so
    every controller gets a whole new set. Phones fetch their key again when they next open the page.
    """
    from shoufu.kernel.devices import services as devices

    row = locked(actor, Controller.objects.all(), device_id, path="device__place")
    if not reason.strip():
        raise Invalid.one("reason", _("Say what happened to the controller."))
    row.trusted_at, row.distrusted_at, row.held = None, timezone.now(), 0
    row.save(update_fields=["trusted_at", "distrusted_at", "held"])
    RuleSet.objects.filter(controller=row).delete()
    if row.device.retired_at is None:
        devices.rotate_secret(actor, device_id)
    for group in DoorGroup.objects.select_related("place").select_for_update(of=("self",)):
        if row.device.place.path.startswith(group.place.path):
            group.epoch += 1
            group.save(update_fields=["epoch"])
    rehash(actor)
    record(actor, _act("doors.distrust", row, reason.strip()))
    publish(actor, set(Controller.objects.values_list("device_id", flat=True)), "keys changed")
    return row


def rehash(actor: Actor) -> int:
    """Hash every credential that may still be used with another key; how many."""
    from shoufu.kernel.doors.services.credentials import hashed

    epoch, _made = HashKey.objects.select_for_update().get_or_create(pk=1)
    epoch.epoch += 1
    epoch.save()
    rows = list(Credential.objects.exclude(state=Credential.State.REVOKED).filter(key__isnull=False))
    hashed(rows, epoch.epoch)
    Credential.objects.bulk_update(rows, ["key"], batch_size=2000)
    return len(rows)


def _act(action: str, row: Controller, reason: str) -> Act:
    return Act(action, row, place=row.device.place_id, reason=reason, data={"code": row.device.code})


def ensure_groups(compounds: Iterable[int]) -> None:
    """Compounds with doors take codes: each is a door group."""
    there = set(DoorGroup.objects.values_list("place_id", flat=True))
    DoorGroup.objects.bulk_create(
        [DoorGroup(place_id=pk, number=pk % 16) for pk in sorted(set(compounds) - there)], ignore_conflicts=True
    )
