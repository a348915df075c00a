from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.doors.models import (
    AccessLevel,
    AccessPoint,
    Assignment,
    Controller,
    Credential,
    LevelDoor,
    Schedule,
    SpecialDay,
)
from shoufu.kernel.doors.services.common import MANAGE, locked, refuse
from shoufu.kernel.doors.services.rulesets import controllers_of_levels, publish
from shoufu.kernel.doors.spans import span_errors
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.models import Place


@dataclass(frozen=True)
class ScheduleDraft:
    """A schedule: spans of {"days": ["mon", …, "holiday"], "from": "06:00", "to": "22:00"}, wall time of the place."""

    code: str
    name: str
    place: int
    spans: Sequence[Mapping[str, Any]]
    name_en: str = ""


@dataclass(frozen=True)
class DoorDraft:
    """A door of a level: the access point's id, and the schedule's (None: at all times)."""

    point: int
    schedule: int | None = None


@dataclass(frozen=True)
class LevelDraft:
    """A set of doors that people or credentials are given."""

    code: str
    name: str
    place: int
    doors: Sequence[DoorDraft]
    name_en: str = ""


@dataclass(frozen=True)
class AssignmentDraft:
    """A level for a person or for one credential (give one of the two), from a moment to a moment."""

    level: int
    person: int | None = None
    credential: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def _places(actor: Actor, ids: Iterable[int]) -> dict[int, Place]:
    """Places where the actor may manage doors; Forbidden where they are only seen."""
    found = {}
    for place in Place.objects.filter(pk__in=set(ids), closed_at__isnull=True):
        if actor.may("doors.view", place.path) or actor.may(MANAGE, place.path):
            policy.require(actor, MANAGE, place)
            found[place.pk] = place
    return found


def _named_errors(n: int, draft: Any, places: Mapping[int, Place]) -> Iterable[FieldError]:
    if draft.place not in places:
        yield FieldError(f"/{n}/place", _("There is no place %(id)s that you may see.") % {"id": draft.place})
    if not draft.code or len(draft.code) > 64 or " " in draft.code:
        yield FieldError(f"/{n}/code", _("1 to 64 characters without spaces."))
    if not 1 <= len(draft.name.strip()) <= 80:
        yield FieldError(f"/{n}/name", _("A name of 1 to 80 characters."))


def _insert(model: Any, rows: list[Any]) -> None:
    try:
        with transaction.atomic():
            model.objects.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict(_("Another entry has this code already.")) from error


@transaction.atomic
def create_schedules(actor: Actor, drafts: Sequence[ScheduleDraft]) -> list[Schedule]:
    """Make schedules, all or none."""
    places = _places(actor, (draft.place for draft in drafts))
    errors = [error for n, draft in enumerate(drafts) for error in _named_errors(n, draft, places)]
    errors += [error for n, draft in enumerate(drafts) for error in span_errors(draft.spans, f"/{n}/spans/")]
    refuse(*errors)
    rows = [
        Schedule(
            code=d.code, name=d.name.strip(), name_en=d.name_en, place_id=d.place, spans=[dict(s) for s in d.spans]
        )
        for d in drafts
    ]
    _insert(Schedule, rows)
    record_many(actor, [_act("doors.create_schedule", row, {"spans": row.spans}) for row in rows])
    return rows


@transaction.atomic
def change_schedule(
    actor: Actor, schedule_id: int, spans: Sequence[Mapping[str, Any]], version: int | None = None
) -> Schedule:
    """Give a schedule other spans; the doors that go by it get another rule set at once."""
    row = locked(actor, Schedule.objects.all(), schedule_id, version=version)
    refuse(*span_errors(spans, "spans/"))
    before, row.spans, row.version = row.spans, [dict(span) for span in spans], row.version + 1
    row.save()
    record(actor, _act("doors.change_schedule", row, {"before": before, "after": row.spans}))
    points = AccessPoint.objects.filter(Q(levels__schedule=row) | Q(unlock_schedule=row))
    publish(actor, set(points.values_list("controller_id", flat=True)), "schedule")
    return row


def _act(action: str, row: Any, data: Mapping[str, Any], reason: str = "") -> Act:
    return Act(action, row, place=row.place_id, reason=reason, data={"code": row.code, **data})


@transaction.atomic
def create_levels(actor: Actor, drafts: Sequence[LevelDraft]) -> list[AccessLevel]:
    """Make levels with their doors, all or none; queries do not grow with their number."""
    places = _places(actor, (draft.place for draft in drafts))
    errors = [error for n, draft in enumerate(drafts) for error in _named_errors(n, draft, places)]
    errors += _door_errors(actor, [draft.doors for draft in drafts])
    refuse(*errors)
    rows = [AccessLevel(code=d.code, name=d.name.strip(), name_en=d.name_en, place_id=d.place) for d in drafts]
    _insert(AccessLevel, rows)
    _doors(zip(rows, (draft.doors for draft in drafts), strict=True))
    acts = [
        _act("doors.create_level", row, {"doors": [door.point for door in draft.doors]})
        for row, draft in zip(rows, drafts, strict=True)
    ]
    record_many(actor, acts)
    return rows


def _doors(pairs: Iterable[tuple[AccessLevel, Sequence[DoorDraft]]]) -> None:
    LevelDoor.objects.bulk_create(
        [LevelDoor(level=row, point_id=d.point, schedule_id=d.schedule) for row, doors in pairs for d in doors]
    )


def _door_errors(actor: Actor, groups: Sequence[Sequence[DoorDraft]]) -> list[FieldError]:
    doors = [door for group in groups for door in group]
    points = policy.limit(AccessPoint.objects.filter(retired_at__isnull=True), actor, MANAGE)
    there = set(points.filter(pk__in={door.point for door in doors}).values_list("pk", flat=True))
    wanted = {door.schedule for door in doors if door.schedule is not None}
    known = set(Schedule.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    errors = []
    for n, group in enumerate(groups):
        if len({door.point for door in group}) != len(group):
            errors.append(FieldError(f"/{n}/doors", _("Name each door once.")))
        for m, door in enumerate(group):
            if door.point not in there:
                message = _("There is no door %(id)s that you may manage.") % {"id": door.point}
                errors.append(FieldError(f"/{n}/doors/{m}/point", message))
            if door.schedule is not None and door.schedule not in known:
                errors.append(FieldError(f"/{n}/doors/{m}/schedule", _("There is no such schedule.")))
    return errors


@transaction.atomic
def change_level(
    actor: Actor, level_id: int, doors: Sequence[DoorDraft], version: int | None = None, name: str = ""
) -> AccessLevel:
    """Give a level other doors; doors that it had and doors that it gets learn of it at once."""
    row = locked(actor, AccessLevel.objects.all(), level_id, version=version)
    refuse(*_door_errors(actor, [doors]))
    touched = controllers_of_levels([row.pk])
    before = list(row.doors.values_list("point_id", flat=True))
    row.doors.all().delete()
    _doors([(row, doors)])
    row.version += 1
    row.name = name.strip()[:80] or row.name
    row.save()
    record(actor, _act("doors.change_level", row, {"before": before, "after": [door.point for door in doors]}))
    publish(actor, touched | controllers_of_levels([row.pk]), "level")
    return row


@transaction.atomic
def assign(actor: Actor, drafts: Sequence[AssignmentDraft]) -> list[Assignment]:
    """Give people or credentials levels, all or none; whoever has a level already keeps it. Constant queries."""
    levels = policy.limit(AccessLevel.objects.all(), actor, MANAGE).in_bulk({draft.level for draft in drafts})
    people = _holders(actor, Person.objects.filter(erased_at__isnull=True), {d.person for d in drafts})
    credentials = _holders(actor, Credential.objects.all(), {d.credential for d in drafts})
    errors = []
    for n, draft in enumerate(drafts):
        if draft.level not in levels:
            message = _("There is no level %(id)s that you may give.") % {"id": draft.level}
            errors.append(FieldError(f"/{n}/level", message))
        if (draft.person is None) == (draft.credential is None):
            errors.append(FieldError(f"/{n}/person", _("Name either a person or a credential.")))
        elif draft.person is not None and draft.person not in people:
            errors.append(FieldError(f"/{n}/person", _("There is no such person that you may give rights to.")))
        elif draft.credential is not None and draft.credential not in credentials:
            errors.append(FieldError(f"/{n}/credential", _("There is no such credential that you may give rights to.")))
        if draft.since and draft.until and draft.until <= draft.since:
            errors.append(FieldError(f"/{n}/until", _("Must lie after the beginning.")))
    refuse(*errors)
    rows = _fresh(drafts)
    Assignment.objects.bulk_create(rows)
    record_many(actor, [_given("doors.assign", row, levels[row.level_id]) for row in rows])
    publish(actor, controllers_of_levels(row.level_id for row in rows), "rights")
    return rows


def _holders(actor: Actor, rows: Any, ids: set[int | None]) -> set[int]:
    wanted = {pk for pk in ids if pk is not None}
    if not wanted:
        return set()
    return set(policy.limit(rows, actor, MANAGE).filter(pk__in=wanted).values_list("pk", flat=True))


def _fresh(drafts: Sequence[AssignmentDraft]) -> list[Assignment]:
    now = timezone.now()
    there = Assignment.objects.filter(level__in={draft.level for draft in drafts}, until__isnull=True)
    known = set(there.values_list("level_id", "person_id", "credential_id"))
    wanted = dict.fromkeys(d for d in drafts if d.until is not None or (d.level, d.person, d.credential) not in known)
    return [
        Assignment(
            level_id=d.level, person_id=d.person, credential_id=d.credential, since=d.since or now, until=d.until
        )
        for d in wanted
    ]


def _given(action: str, row: Assignment, level: AccessLevel) -> Act:
    data = {"level": level.code, "credential": row.credential_id}
    return Act(action, row, place=level.place_id, subject=row.person_id, data=data)


@transaction.atomic
def unassign(actor: Actor, assignment_ids: Sequence[int], reason: str = "") -> int:
    """Take levels away from this moment on; how many."""
    now = timezone.now()
    running = Assignment.objects.filter(Q(until__isnull=True) | Q(until__gt=now), pk__in=assignment_ids)
    rows = list(policy.limit(running.select_related("level"), actor, MANAGE, "level__place__path"))
    if len(rows) != len(set(assignment_ids)):
        raise Invalid.one("ids", _("One of these rights is not there, or is over, or is not yours to take."))
    end_assignments(rows, now)
    acts = [_given("doors.unassign", row, row.level) for row in rows]
    record_many(actor, [Act(**{**vars(act), "reason": reason}) for act in acts])
    publish(actor, controllers_of_levels(row.level_id for row in rows), "rights")
    return len(rows)


def end_assignments(rows: Sequence[Assignment], at: datetime) -> None:
    """Let assignments end at a moment; one that would begin later ends as it begins."""
    for row in rows:
        row.until = max(at, row.since)
    Assignment.objects.bulk_update(rows, ["until"], batch_size=1000)


@dataclass(frozen=True)
class SpecialDayDraft:
    """A holiday, or a day worked in its stead (`stands_for`: weekday 1–7 that it counts as)."""

    day: date
    kind: str
    name: str
    name_en: str = ""
    stands_for: int | None = None
    place: int | None = None
    source: str = ""


@transaction.atomic
def set_special_days(actor: Actor, drafts: Sequence[SpecialDayDraft]) -> list[SpecialDay]:
    """Say which days are special; a day that is there already is replaced. Those without a place need the right at
    the top of the tree."""
    errors = []
    places = _places(actor, (draft.place for draft in drafts if draft.place is not None))
    for n, draft in enumerate(drafts):
        if draft.kind not in SpecialDay.Kind.values:
            errors.append(FieldError(f"/{n}/kind", _("Use one of: %(kinds)s.") % {"kinds": "holiday, workday"}))
        if draft.place is None:
            for top in Place.objects.filter(parent__isnull=True):
                policy.require(actor, MANAGE, top)
        elif draft.place not in places:
            errors.append(
                FieldError(f"/{n}/place", _("There is no place %(id)s that you may see.") % {"id": draft.place})
            )
    refuse(*errors)
    rows = []
    for draft in drafts:
        given = {name: value for name, value in vars(draft).items() if name not in ("day", "place")}
        place = places.get(draft.place) if draft.place is not None else None
        row, _new = SpecialDay.objects.update_or_create(day=draft.day, place=place, defaults=given)
        rows.append(row)
    record_many(
        actor,
        [
            Act("doors.special_day", row, row.place_id, data={"day": row.day.isoformat(), "kind": row.kind})
            for row in rows
        ],
    )
    publish(actor, set(Controller.objects.values_list("device_id", flat=True)), "special days")
    return rows


@transaction.atomic
def remove_special_day(actor: Actor, special_day_id: int) -> None:
    """The day is an ordinary one again."""
    row = SpecialDay.objects.select_related("place").filter(pk=special_day_id).first()
    if row is None:
        raise Invalid.one("day", _("There is no such special day."))
    for place in [row.place] if row.place else Place.objects.filter(parent__isnull=True):
        policy.require(actor, MANAGE, place)
    record(actor, Act("doors.remove_special_day", row, row.place_id, data={"day": row.day.isoformat()}))
    row.delete()
    publish(actor, set(Controller.objects.values_list("device_id", flat=True)), "special days")
