from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices import selectors
from shoufu.kernel.devices.models import Command, Device

COMMAND = "devices.command"
MAXIMUM_SECONDS = 3600


@dataclass(frozen=True)
class CommandDraft:
    """An order to a device: `name` as the device knows it ("open", "reboot"); it lapses after `seconds`."""

    device_id: int
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    seconds: int = 30


def queue(actor: Actor, draft: CommandDraft) -> Command:
    """Order one device."""
    return queue_many(actor, [draft])[0]


@transaction.atomic
def queue_many(actor: Actor, drafts: Sequence[CommandDraft]) -> list[Command]:
    """Order devices, all or none; three queries however many. A reason is asked of people, who answer for it."""
    devices = {device.pk: device for device in selectors.visible(actor).filter(pk__in={d.device_id for d in drafts})}
    now = timezone.now()
    commands = [_command(actor, draft, devices.get(draft.device_id), now, n) for n, draft in enumerate(drafts)]
    Command.objects.bulk_create(commands)
    record_many(actor, [_asked(command) for command in commands])
    return commands


def _command(actor: Actor, draft: CommandDraft, device: Device | None, now: datetime, number: int) -> Command:
    if device is None:
        raise NotFound(_("There is no device %(id)s that you may see.") % {"id": draft.device_id})
    policy.require(actor, COMMAND, device.place)
    if not draft.name.strip() or len(draft.name) > 32:
        raise Invalid.one(f"/{number}/name", _("A name of 1 to 32 characters."))
    if actor.kind == "user" and not draft.reason.strip():
        raise Invalid.one(f"/{number}/reason", _("Say why; the reason is kept with the command."))
    if not 1 <= draft.seconds <= MAXIMUM_SECONDS:
        raise Invalid.one(f"/{number}/seconds", _("Between 1 and %(n)d seconds.") % {"n": MAXIMUM_SECONDS})
    return Command(
        id=uuid7(),
        device=device,
        name=draft.name.strip(),
        parameters=dict(draft.parameters),
        reason=draft.reason.strip()[:200],
        asked_by=actor.label[:120],
        asked_at=now,
        expires_at=now + timedelta(seconds=draft.seconds),
    )


def _asked(command: Command) -> Act:
    return Act(
        "devices.command",
        command,
        place=command.device.place_id,
        reason=command.reason,
        data={"device": command.device.code, "name": command.name, "parameters": command.parameters},
    )


def pending(device_id: int) -> list[Command]:
    """The orders a device still has to get, oldest first; for gateways."""
    rows = Command.objects.filter(device_id=device_id, state=Command.State.QUEUED, expires_at__gt=timezone.now())
    return list(rows.order_by("id"))


def sent(ids: Iterable[UUID]) -> int:
    """The gateway handed these orders to their devices; how many were still waiting."""
    rows = Command.objects.filter(pk__in=list(ids), state=Command.State.QUEUED)
    return rows.update(state=Command.State.SENT, sent_at=timezone.now())


@transaction.atomic
def acknowledge(actor: Actor, device_id: int, command_id: UUID, *, done: bool, answer: Mapping[str, Any]) -> Command:
    """The device says what became of an order. The same answer twice is taken once; another answer is a Conflict."""
    command = Command.objects.select_for_update(of=("self",)).select_related("device").filter(pk=command_id).first()
    if command is None or command.device_id != device_id:
        raise NotFound(_("This device was given no command %(id)s.") % {"id": command_id})
    state = Command.State.DONE if done else Command.State.FAILED
    if command.state == state:
        return command
    if command.state not in (Command.State.QUEUED, Command.State.SENT):
        raise Conflict(_("The command is already %(state)s.") % {"state": command.get_state_display()})
    command.state, command.done_at, command.answer = state, timezone.now(), dict(answer)
    command.save(update_fields=["state", "done_at", "answer"])
    data = {"device": command.device.code, "name": command.name, "state": str(state)}
    record(actor, Act("devices.command_answer", command, place=command.device.place_id, data=data))
    return command


@transaction.atomic
def expire(actor: Actor) -> int:
    """Lapse the orders whose time is over; how many."""
    rows = Command.objects.filter(state__in=[Command.State.QUEUED, Command.State.SENT], expires_at__lte=timezone.now())
    late = list(rows.select_for_update(of=("self",), skip_locked=True).select_related("device"))
    if late:
        Command.objects.filter(pk__in=[command.pk for command in late]).update(state=Command.State.EXPIRED)
        record_many(actor, [_lapsed(command) for command in late])
    return len(late)


def _lapsed(command: Command) -> Act:
    data = {"device": command.device.code, "name": command.name}
    return Act("devices.command_expire", command, place=command.device.place_id, data=data)
