from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.doors import Mode
from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.devices.commands import CommandDraft, queue_many
from shoufu.kernel.devices.models import Command
from shoufu.kernel.doors.models import AccessPoint, FireRelease, LockDown, OpenRequest
from shoufu.kernel.doors.services.common import COMMAND, locked
from shoufu.kernel.doors.services.rulesets import wake
from shoufu.kernel.places.models import Place

OPEN_SECONDS = 30
SECOND_PERSON = timedelta(minutes=10)
LASTING = 3600
MODES = {
    AccessPoint.Mode.LOCKED: None,
    AccessPoint.Mode.UNLOCKED: Mode.UNLOCKED,
    AccessPoint.Mode.DOUBLE_LOCKED: Mode.DOUBLE_LOCKED,
    AccessPoint.Mode.BLOCKED: Mode.BLOCKED,
}


def _order(
    points: Iterable[AccessPoint], name: str, reason: str, seconds: int, parameters: Mapping[str, Any], asked_by: Actor
) -> list[Command]:
    """Queue one order a door. The right at the door was checked; whoever asked stands in the order and in the log."""
    drafts = [
        CommandDraft(
            point.controller_id,
            name,
            {"door": point.output - 1, **parameters},
            f"{asked_by.label}: {reason}"[:200],
            seconds,
        )
        for point in points
    ]
    commands = queue_many(SYSTEM, drafts)
    for command in commands:
        command.asked_by = asked_by.label[:120]
    Command.objects.bulk_update(commands, ["asked_by"])
    wake((draft.device_id for draft in drafts), orders=True)
    return commands


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; the reason is kept with the command."))
    return reason.strip()[:200]


def _point(actor: Actor, point_id: int) -> AccessPoint:
    rows = AccessPoint.objects.filter(retired_at__isnull=True)
    return locked(actor, rows, point_id, COMMAND)


@transaction.atomic
def ask_open(
    actor: Actor, point_id: int, reason: str, case_id: int | None = None, *, extended: bool = False
) -> OpenRequest:
    """Open a door from afar; the reason is kept and counted. A dwelling's door needs an open case and a second person,
    who has ten minutes (`confirm_open`); every other door opens at once."""
    point, text = _point(actor, point_id), _reason(reason)
    now = timezone.now()
    case = cases.get(actor, case_id) if case_id is not None else None
    if point.dwelling and case is None:
        raise Invalid.one("case", _("A dwelling is opened from afar only for a case; name it."))
    if point.dwelling and case is not None and not point.place.path.startswith(_around(case.place.path, point)):
        raise Invalid.one("case", _("This case is about another place."))
    row = OpenRequest.objects.create(
        point=point,
        case=case,
        reason=text,
        asked_by=actor.label[:120],
        asked_by_id=f"{actor.kind}:{actor.id}",
        asked_at=now,
        expires_at=now + (SECOND_PERSON if point.dwelling else timedelta(seconds=OPEN_SECONDS)),
    )
    record(actor, _act("doors.ask_open", point, {"case": case_id}, text))
    if not point.dwelling:
        _send_open(actor, row, extended=extended)
    return row


def _around(case_path: str, point: AccessPoint) -> str:
    """The wider of the two paths decides whether a case and a door belong together."""
    return case_path if point.place.path.startswith(case_path) else case_path.rsplit("/", 2)[0] + "/"


@transaction.atomic
def confirm_open(actor: Actor, request_id: int) -> OpenRequest:
    """The second person lets a dwelling's door be opened; not the one who asked."""
    row = OpenRequest.objects.select_for_update(of=("self",)).filter(pk=request_id).first()
    if row is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": request_id})
    point = _point(actor, row.point_id)
    if row.asked_by_id == f"{actor.kind}:{actor.id}":
        raise Forbidden(_("Another person must confirm it."))
    _require_waiting(row)
    row.decided_by, row.decided_at = actor.label[:120], timezone.now()
    record(actor, _act("doors.confirm_open", point, {"asked_by": row.asked_by}, row.reason))
    return _send_open(actor, row)


def _require_waiting(row: OpenRequest) -> None:
    if row.state == OpenRequest.State.WAITING and row.expires_at <= timezone.now():
        raise Conflict(_("Nobody confirmed it within ten minutes; ask again."))
    if row.state != OpenRequest.State.WAITING:
        raise Conflict(_("This was already decided: %(state)s.") % {"state": row.get_state_display()})


@transaction.atomic
def refuse_open(actor: Actor, request_id: int, reason: str) -> OpenRequest:
    """The second person says no."""
    row = OpenRequest.objects.select_for_update(of=("self",)).filter(pk=request_id).first()
    if row is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": request_id})
    point = _point(actor, row.point_id)
    _require_waiting(row)
    row.state, row.decided_by, row.decided_at = OpenRequest.State.REFUSED, actor.label[:120], timezone.now()
    row.save()
    record(actor, _act("doors.refuse_open", point, {"asked_by": row.asked_by}, _reason(reason)))
    return row


def _send_open(actor: Actor, row: OpenRequest, *, extended: bool = False) -> OpenRequest:
    (row.command,) = _order([row.point], "open", row.reason, OPEN_SECONDS, {"extended": extended}, actor)
    row.state = OpenRequest.State.SENT
    row.save()
    return row


def _act(action: str, point: AccessPoint, data: Mapping[str, Any], reason: str) -> Act:
    return Act(action, point, place=point.place_id, reason=reason, data={"code": point.code, **data})


@transaction.atomic
def set_mode(actor: Actor, point_id: int, mode: str, reason: str) -> AccessPoint:
    """Bring a door into another mode ("locked", "unlocked", "double_locked", "blocked") until somebody changes it."""
    point, text = _point(actor, point_id), _reason(reason)
    if mode not in AccessPoint.Mode.values:
        kinds = ", ".join(AccessPoint.Mode.values)
        raise Invalid.one("mode", _("Use one of: %(kinds)s.") % {"kinds": kinds})
    if active_lock_down(point) is not None:
        raise Conflict(_("The door is locked down; release that first."))
    before, point.mode = point.mode, mode
    point.version += 1
    point.save(update_fields=["mode", "version"])
    record(actor, _act("doors.mode", point, {"before": before, "after": mode}, text))
    _send_mode([point], text, actor)
    return point


def _send_mode(points: Sequence[AccessPoint], reason: str, actor: Actor) -> None:
    """Each door back to its own mode: an order for what differs from the schedule, else its release."""
    for mode in {point.mode for point in points}:
        wanted, name = [point for point in points if point.mode == mode], MODES[AccessPoint.Mode(mode)]
        if name is None:
            _order(wanted, "release", reason, LASTING, {}, actor)
        else:
            _order(wanted, "mode", reason, LASTING, {"mode": str(name), "until": None}, actor)


def active_lock_down(point: AccessPoint) -> LockDown | None:
    """The lock-down that holds at a door."""
    rows = LockDown.objects.select_related("place").filter(released_at__isnull=True)
    return next((row for row in rows if point.place.path.startswith(row.place.path)), None)


def _below(place: Place) -> list[AccessPoint]:
    rows = AccessPoint.objects.filter(retired_at__isnull=True, place__path__startswith=place.path)
    return list(rows.select_related("place", "controller"))


@transaction.atomic
def lock_down(actor: Actor, place_id: int, reason: str) -> LockDown:
    """Lock down every door at and below a place: nobody comes in but emergency keys; the way out stays free."""
    place = policy.limit(Place.objects.all(), actor, COMMAND, "path").filter(pk=place_id).first()
    if place is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    text = _reason(reason)
    if LockDown.objects.filter(place=place, released_at__isnull=True).exists():
        raise Conflict(_("%(place)s is locked down already.") % {"place": place.label})
    row = LockDown.objects.create(place=place, reason=text, started_by=actor.label[:120], started_at=timezone.now())
    points = _below(place)
    record(actor, Act("doors.lock_down", row, place.pk, text, {"doors": len(points)}))
    _order(points, "mode", text, LASTING, {"mode": str(Mode.LOCKED_DOWN), "until": None}, actor)
    return row


@transaction.atomic
def release_lock_down(actor: Actor, lock_down_id: int, reason: str) -> LockDown:
    """End a lock-down; doors go back to their own mode, but for those that another lock-down holds."""
    row = locked(actor, LockDown.objects.all(), lock_down_id, COMMAND)
    if row.released_at is not None:
        raise Conflict(_("This lock-down is over."))
    text = _reason(reason)
    row.released_at, row.released_by, row.release_reason = timezone.now(), actor.label[:120], text
    row.save()
    others = LockDown.objects.filter(released_at__isnull=True).values_list("place__path", flat=True)
    held = tuple(others)
    free = [point for point in _below(row.place) if not (held and point.place.path.startswith(held))]
    record(actor, Act("doors.release_lock_down", row, row.place_id, text, {"doors": len(free)}))
    _send_mode(free, text, actor)
    return row


@transaction.atomic
def keep_modes(actor: Actor) -> int:
    """Order again what a door was told while it could not hear: modes that it has not taken; how many doors.

    For the worker, every minute. An order lapses after an hour; a lock-down does not.
    """
    held = LockDown.objects.filter(released_at__isnull=True).values_list("place__path", flat=True)
    down = tuple(held)
    rows = AccessPoint.objects.filter(retired_at__isnull=True).select_related("place", "state", "controller")
    waiting = set(
        Command.objects.filter(
            state__in=["queued", "sent"], expires_at__gt=timezone.now(), name__in=["mode", "release"]
        ).values_list("device_id", flat=True)
    )
    again: dict[str, list[AccessPoint]] = {}
    for point in rows.exclude(controller__in=waiting):
        is_down = bool(down) and point.place.path.startswith(down)
        wanted = Mode.LOCKED_DOWN if is_down else MODES[AccessPoint.Mode(point.mode)]
        told = point.state.mode if hasattr(point, "state") else ""
        if wanted is not None and told and told != wanted:
            again.setdefault(str(wanted), []).append(point)
        elif wanted is None and told == Mode.LOCKED_DOWN:
            again.setdefault("", []).append(point)
    for mode, points in again.items():
        parameters = {"mode": mode, "until": None} if mode else {}
        _order(points, "mode" if mode else "release", _("as ordered before"), LASTING, parameters, actor)
    return sum(len(points) for points in again.values())


def fire_observed(releases: Iterable[tuple[int, Any]]) -> None:
    """The fire system released doors (point id, moment); for the reader of the log. Once until somebody resets it."""
    FireRelease.objects.bulk_create(
        [FireRelease(point_id=point, observed_at=at) for point, at in releases], ignore_conflicts=True
    )


@transaction.atomic
def reset_fire(actor: Actor, point_id: int, reason: str) -> FireRelease:
    """A person has looked: the door may lock again. Refused where the fire system has released nothing."""
    point, text = _point(actor, point_id), _reason(reason)
    row = FireRelease.objects.select_for_update().filter(point=point, reset_at__isnull=True).first()
    if row is None:
        raise Conflict(_("The fire system has released nothing here."))
    row.reset_at, row.reset_by, row.reset_reason = timezone.now(), actor.label[:120], text
    row.save()
    record(actor, _act("doors.reset_fire", point, {}, text))
    _order([point], "reset-fire", text, LASTING, {}, actor)
    return row


@transaction.atomic
def forgive(actor: Actor, place_id: int, person: int | None = None, reason: str = "") -> int:
    """Forget where a person (or everybody) was last seen, at all doors below a place; how many controllers are told."""
    place = policy.limit(Place.objects.all(), actor, COMMAND, "path").filter(pk=place_id).first()
    if place is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    text = reason.strip() or _("anti-passback forgiven")
    first = {point.controller_id: point for point in reversed(_below(place))}
    from shoufu.kernel.doors.compiling import index_of

    parameters = {"person": index_of(person, 0) if person is not None else None}
    record(actor, Act("doors.forgive", place=place.pk, reason=text, subject=person, data={"doors": len(first)}))
    _order(first.values(), "forgive", text, LASTING, parameters, actor)
    return len(first)
