import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import doors as engine
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import FieldError, Forbidden, Invalid, NotFound
from shoufu.kernel.doors import keys, paths
from shoufu.kernel.doors.compiling import sharing
from shoufu.kernel.doors.models import (
    AccessLevel,
    AccessPoint,
    Credential,
    DoorGroup,
    HashKey,
    LevelDoor,
    Pass,
    Receipt,
    Schedule,
    Technology,
)
from shoufu.kernel.doors.services.common import ADMIT, MANAGE, refuse
from shoufu.kernel.doors.services.credential_states import apply_state
from shoufu.kernel.doors.services.credentials import identifier, name
from shoufu.kernel.doors.services.levels import AssignmentDraft, assign
from shoufu.kernel.doors.services.people import own_person
from shoufu.kernel.doors.services.rulesets import publish
from shoufu.kernel.doors.spans import span_errors
from shoufu.kernel.places.models import Place

LONGEST = timedelta(days=45)
LONGEST_RECURRING = timedelta(days=180)
MOST_USES = 31
STEP_SECONDS = 30


@dataclass(frozen=True)
class PassDraft:
    """A right to pass for somebody who is expected at `place` (a unit or compound), from `since` to `until`.

    `host`: the person who invites; a resident may invite to where they live, `doors.admit` to anywhere in its places.
    `maximum`: number of passes at each door, None for any; where one controller drives all the doors it counts them
    together, else the server withdraws the pass when the sum is reached. `points`: ids of the doors; empty for all on
    the way to the place. `windows` makes it recurring (a nurse: [{"days": ["tue", "fri"], "from": "09:00", "to":
    "11:30"}]). `rotating`: the code changes every 30 s and needs a page that shows it; else it can be printed or sent.
    """

    place: int
    holder: str
    since: datetime
    until: datetime
    purpose: str = Pass.Purpose.VISITOR
    host: int | None = None
    maximum: int | None = None
    points: tuple[int, ...] = ()
    windows: Sequence[Mapping[str, Any]] = ()
    rotating: bool = False
    label: str = ""


@dataclass(frozen=True)
class IssuedPass:
    """A pass and how it is shown.

    `payload` is the text of a QR code that does not change (empty where the pass rotates); `code` is what a page needs
    to make the present one: text = base45(head + step + HMAC-SHA256(key, head + step)[:size]), step = Unix s // 30.
    """

    visit: Pass
    payload: str
    code: "Code"


@dataclass(frozen=True)
class Code:
    """The parts of a rotating code: `head` bytes, HMAC `key` (32 bytes), `size` bytes of the HMAC that are shown."""

    head: bytes
    key: bytes
    size: int
    step_seconds: int = STEP_SECONDS

    def as_json(self) -> dict[str, Any]:
        """For the page that shows it; bytes as base64."""
        head, key = (base64.b64encode(one).decode() for one in (self.head, self.key))
        return {"head": head, "key": key, "size": self.size, "step": self.step_seconds}


@transaction.atomic
def issue_pass(actor: Actor, draft: PassDraft) -> IssuedPass:
    """Let somebody in for a time. The code is signed: doors check it without the network and before they know of it.

    Raises Invalid naming the field, Forbidden where the actor may not let in there, NotFound for foreign places.
    """
    place = Place.objects.filter(pk=draft.place, closed_at__isnull=True).first()
    own = own_person(actor)
    host_invites = draft.host is not None and draft.host == own
    if place is None or not (host_invites or actor.may(ADMIT, place.path) or actor.may(MANAGE, place.path)):
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": draft.place})
    refuse(*_errors(draft))
    points = _points(draft, place)
    if host_invites and not (actor.may(ADMIT, place.path) or actor.may(MANAGE, place.path)):
        _require_own_doors(draft.host or 0, points)
    group = _group(points)
    visit = _recurring(actor, draft, group, points) if draft.windows else _dated(actor, draft, group)
    visit.points.set(points)
    _tell_neighbours(actor, points)
    act = Act(
        "doors.issue_pass",
        visit.credential,
        place=place.pk,
        subject=draft.host,
        data={"purpose": draft.purpose, "doors": [point.code for point in points], "maximum": draft.maximum},
    )
    record(actor, act)
    return shown(visit, points, group, rotating=draft.rotating or bool(draft.windows))


def _tell_neighbours(actor: Actor, points: Sequence[AccessPoint]) -> None:
    """Doors that share a bit with a door of the pass must refuse it."""
    compounds = dict(Place.objects.filter(kind=Place.Kind.COMPOUND).values_list("path", "pk"))
    others = {pk for found in sharing(points, compounds).values() for pk in found} - {point.pk for point in points}
    if others:
        told = AccessPoint.objects.filter(pk__in=others).values_list("controller_id", flat=True)
        publish(actor, set(told), "shared bit of a pass")


def _errors(draft: PassDraft) -> list[FieldError]:
    errors = []
    now, longest = timezone.now(), LONGEST_RECURRING if draft.windows else LONGEST
    if not draft.holder.strip():
        errors.append(FieldError("holder", _("Say who is expected.")))
    if draft.until <= draft.since:
        errors.append(FieldError("until", _("Must lie after the beginning.")))
    if draft.until <= now:
        errors.append(FieldError("until", _("This time is over.")))
    if draft.until - draft.since > longest:
        errors.append(FieldError("until", _("At most %(n)d days.") % {"n": longest.days}))
    if draft.purpose not in Pass.Purpose.values:
        kinds = ", ".join(Pass.Purpose.values)
        errors.append(FieldError("purpose", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    if draft.maximum is not None and not 1 <= draft.maximum <= (MOST_USES if not draft.windows else 1000):
        errors.append(FieldError("maximum", _("Between 1 and %(n)d passes.") % {"n": MOST_USES}))
    return [*errors, *span_errors(draft.windows, "windows/")]


def _points(draft: PassDraft, place: Place) -> list[AccessPoint]:
    rows = paths.on_the_way(place).select_related("place")
    points = list(rows)
    if draft.points:
        points = [point for point in points if point.pk in draft.points]
        if len(points) != len(set(draft.points)):
            raise Invalid.one("points", _("Choose doors that lie on the way to the place."))
    if not points:
        raise Invalid.one("place", _("There is no door on the way there; nothing needs to be opened."))
    return points


def _require_own_doors(person: int, points: Sequence[AccessPoint]) -> None:
    """A resident lets others in only where they may go in themselves."""
    now = timezone.now()
    levels = AccessLevel.objects.filter(assignments__person=person, assignments__since__lte=now)
    running = levels.filter(assignments__until__isnull=True) | levels.filter(assignments__until__gt=now)
    mine = set(LevelDoor.objects.filter(level__in=running).values_list("point_id", flat=True))
    for point in points:
        if point.pk not in mine:
            raise Forbidden(
                _("You do not pass %(door)s yourself, so you cannot let others in there.") % {"door": point}
            )


def _group(points: Sequence[AccessPoint]) -> DoorGroup:
    found = next(
        (
            group
            for group in DoorGroup.objects.select_related("place")
            if all(point.place.path.startswith(group.place.path) for point in points)
        ),
        None,
    )
    if found is None or all(point.group_bit < 0 for point in points):
        raise Invalid.one("place", _("The doors there take no codes."))
    return found


def _credential(draft: PassDraft, group: DoorGroup) -> Credential:
    row = Credential(
        place=group.place,
        holder=draft.holder.strip()[:80],
        label=draft.label.strip()[:80],
        technology=Technology.QR,
        valid_from=draft.since.replace(second=0, microsecond=0),
        valid_until=draft.until,
        state_since=timezone.now(),
        lease_days=14,
    )
    row.save()
    return row


def _visit(actor: Actor, draft: PassDraft, row: Credential) -> Pass:
    return Pass.objects.create(
        credential=row,
        purpose=draft.purpose,
        host_id=draft.host,
        windows=[dict(window) for window in draft.windows],
        maximum=draft.maximum,
        issued_by=actor.label[:120],
        issued_at=timezone.now(),
    )


def _dated(actor: Actor, draft: PassDraft, group: DoorGroup) -> Pass:
    """A pass that says itself what it opens: no controller needs to be told."""
    row = _credential(draft, group)
    epoch = HashKey.objects.first()
    key = keys.hash_key(epoch.epoch if epoch else 1)
    row.key = engine.credential_key(key, engine.Technology.VISITOR, identifier(row.pk))
    row.save(update_fields=["key"])
    return _visit(actor, draft, row)


def _recurring(actor: Actor, draft: PassDraft, group: DoorGroup, points: Sequence[AccessPoint]) -> Pass:
    """A pass with windows is a credential with a schedule: controllers hold it like a resident's phone."""
    row = _credential(draft, group)
    name([row], [b""])
    row.save(update_fields=["key"])
    code = f"pass-{row.pk}"
    schedule = Schedule.objects.create(
        code=code, name=_("Pass %(n)d") % {"n": row.pk}, place=group.place, spans=[dict(one) for one in draft.windows]
    )
    level = AccessLevel.objects.create(code=code, name=schedule.name, place=group.place)
    LevelDoor.objects.bulk_create([LevelDoor(level=level, point=point, schedule=schedule) for point in points])
    visit = _visit(actor, draft, row)
    # The right to let in was checked above; the level is the form that it takes, and the audit entry names the actor.
    assign(SYSTEM, [AssignmentDraft(level.pk, credential=row.pk, since=row.valid_from, until=row.valid_until)])
    return visit


def shown(visit: Pass, points: Sequence[AccessPoint], group: DoorGroup, *, rotating: bool) -> IssuedPass:
    """How a pass is shown; the same each time."""
    row, group_key = visit.credential, keys.qr_key(group.place.code, group.epoch)
    if visit.windows:
        head = bytes((0x10 | group.number,)) + identifier(row.pk)
        return IssuedPass(visit, "", Code(head, engine.resident_key(group_key, identifier(row.pk)), 8))
    mask = 0
    for point in points:
        mask |= 1 << point.group_bit if point.group_bit >= 0 else 0
    end = row.valid_until or row.valid_from
    claims = engine.VisitorClaims(
        pass_id=identifier(row.pk),
        valid_from=int(row.valid_from.timestamp()),
        minutes=max(1, -(-int((end - row.valid_from).total_seconds()) // 60)),
        doors=mask,
        passes=visit.maximum or 0,
        total=visit.maximum is not None and len({point.controller_id for point in points}) == 1,
        fixed=not rotating,
    )
    key = engine.visitor_key(group_key, claims.pack())
    payload = "" if rotating else engine.make_visitor_code(key, group.number, claims, 0)
    return IssuedPass(visit, payload, Code(bytes((0x20 | group.number,)) + claims.pack(), key, 10))


def show_again(actor: Actor, pass_id: int, *, rotating: bool = False) -> IssuedPass:
    """The code of a pass once more: for its host, or whoever may let in there. A pass that is over shows nothing."""
    visit = _pass(actor, pass_id)
    row = visit.credential
    if row.state != Credential.State.ACTIVE or (row.valid_until and row.valid_until <= timezone.now()):
        raise Invalid.one("pass", _("This pass is over."))
    points = list(visit.points.select_related("place"))
    return shown(visit, points, _group(points), rotating=rotating or bool(visit.windows))


def show_link(pass_id: int, *, rotating: bool = True) -> IssuedPass:
    """The code for the page behind a visitor's link, which has checked the link's own secret."""
    return show_again(SYSTEM, pass_id, rotating=rotating)


def _pass(actor: Actor, pass_id: int) -> Pass:
    visit = Pass.objects.select_related("credential__place", "host").filter(pk=pass_id).first()
    path = visit.credential.place.path if visit else ""
    own = visit is not None and visit.host_id is not None and visit.host_id == own_person(actor)
    if visit is None or not (own or actor.may(ADMIT, path) or actor.may(MANAGE, path)):
        raise NotFound(_("There is no pass %(id)s that you may see.") % {"id": pass_id})
    return visit


@transaction.atomic
def revoke_pass(actor: Actor, pass_id: int, reason: str = "") -> list[Receipt]:
    """End a pass: its doors refuse it from now on. For its host, or whoever may let in there. Receipts as `revoke`."""
    visit = _pass(actor, pass_id)
    rows = Credential.objects.select_for_update(of=("self",)).select_related("place")
    row = rows.get(pk=visit.pk)
    if row.state == Credential.State.REVOKED:
        return []
    return apply_state(actor, [row], Credential.State.REVOKED, reason.strip() or _("withdrawn"))
