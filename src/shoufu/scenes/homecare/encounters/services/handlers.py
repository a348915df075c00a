"""What each kind of line does. A handler runs in the line's transaction with the visit locked. It raises where nothing
is to be kept but the line itself, and returns a Problem where its work is kept and somebody must look at it all the
same (the visit was cancelled, or is another person's by now)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from shoufu.scenes.homecare.encounters import documents, measuring
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Photo, Trace
from shoufu.scenes.homecare.encounters.services import doubts, watching
from shoufu.scenes.homecare.encounters.services.common import (
    LINE,
    PHOTO,
    TRAIL,
    act,
    clear,
    keep,
    next_number,
    rules,
)
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits import services as visits
from shoufu.scenes.homecare.visits.models import Visit

VERSIONED = ("identity", "consent", "checklist", "record", "consumables", "signature")
AFTERWARDS = ("addendum",)


@dataclass(frozen=True)
class Context:
    """A line that is being carried out: who sent it, for what, at which (corrected) time."""

    actor: Actor
    practitioner: Practitioner
    visit: Visit
    encounter: Encounter
    operation: Operation
    at: datetime
    base: int | None = None
    barred: bool = False
    """Whose account must not give care any more begins no visit: a coordinator takes it as done."""

    @property
    def person(self) -> int:
        return self.visit.patient.person_id


Handler = Callable[[Context, Any], Problem | None]


def carry_out(context: Context, document: Any) -> Problem | None:
    """Do what the line says."""
    kind, encounter = context.operation.kind, context.encounter
    if encounter.state != Encounter.State.OPEN and kind not in AFTERWARDS:
        said = _("The visit is “%(state)s” already. Write what is missing as an addendum.")
        raise Conflict(said % {"state": encounter.get_state_display()}, reason="ended", state=encounter.state)
    found = doubts.found(context, document)
    if found and not encounter.contested:
        # Before its work: a visit that somebody must look at is not done by its check-out.
        encounter.contested = True
        encounter.save(update_fields=["contested"])
    able = replace(context, barred=any(one.code == "no_right" for one in found))
    return doubts.told(found, HANDLERS[kind](able, document))


def _tried(context: Context, step: Callable[[], Any]) -> Problem | None:
    """A step of the visit itself; where it is refused, the encounter goes on and is contested."""
    try:
        with transaction.atomic():
            step()
    except (Conflict, Forbidden, NotFound, Invalid) as problem:
        context.encounter.contested = True
        context.encounter.save(update_fields=["contested"])
        return problem if "reason" in problem.extra else _elsewhere(context, problem)
    return None


def _elsewhere(context: Context, problem: Problem) -> Problem:
    if context.visit.stops.filter(practitioner=context.practitioner).exists():
        return problem
    said = _("This visit is another person's by now; what you write is kept, and the coordinator looks at it.")
    return Conflict(said, reason="elsewhere")


def _check_in(context: Context, where: documents.Where) -> Problem | None:
    encounter = context.encounter
    if encounter.in_at is not None:
        raise Conflict(_("You checked in already."), reason="twice")
    encounter.in_at, encounter.in_known = context.at, timezone.now()
    encounter.in_longitude, encounter.in_latitude = where.longitude, where.latitude
    encounter.in_accuracy, encounter.in_distance = where.accuracy, doubts.metres(context.visit, where)
    encounter.in_reason = where.reason.strip()
    encounter.save()
    record(context.actor, act("homecare.encounter.check_in", encounter, context.visit, near=_near(context, "in")))
    watching.arrived(context.visit, context.practitioner, "in", context.at)
    if context.barred:
        return None
    return _tried(context, lambda: visits.begin(context.actor, context.visit.pk, context.at))


def _near(context: Context, side: str) -> bool | None:
    """Whether it was at the home, as far as the phone knew; None where it did not. For the audit: no positions."""
    row = context.encounter
    return doubts.near(context.visit, getattr(row, f"{side}_distance"), getattr(row, f"{side}_accuracy"))


def _check_out(context: Context, where: documents.Where) -> Problem | None:
    encounter = context.encounter
    if encounter.in_at is None:
        raise Conflict(_("Check in first."), reason="order")
    encounter.out_at, encounter.out_known = max(context.at, encounter.in_at), timezone.now()
    encounter.out_longitude, encounter.out_latitude = where.longitude, where.latitude
    encounter.out_accuracy, encounter.out_distance = where.accuracy, doubts.metres(context.visit, where)
    encounter.out_reason = where.reason.strip()
    encounter.state = Encounter.State.FINISHED
    encounter.save()
    record(context.actor, act("homecare.encounter.check_out", encounter, context.visit, near=_near(context, "out")))
    watching.arrived(context.visit, context.practitioner, "out", encounter.out_at)
    if encounter.contested or not everybody_out(context.visit):
        return None
    began = Visit.objects.values_list("began_at", flat=True).get(pk=context.visit.pk)
    at = max(encounter.out_at, began or encounter.out_at)
    return _tried(context, lambda: visits.finish(context.actor, context.visit.pk, at))


def everybody_out(visit: Visit) -> bool:
    """Whether whoever was sent (two in a double service) has checked out."""
    sent = set(visit.stops.values_list("practitioner", flat=True))
    done = Encounter.objects.filter(visit=visit, state=Encounter.State.FINISHED).values_list("practitioner", flat=True)
    return sent <= set(done)


def _missed(context: Context, document: documents.Missed) -> Problem | None:
    encounter = context.encounter
    _written(context, Entry.Kind.MISSED, document)
    encounter.state, encounter.end_cause = Encounter.State.CANCELLED, document.cause
    encounter.save(update_fields=["state", "end_cause"])
    record(context.actor, act("homecare.encounter.missed", encounter, context.visit, cause=document.cause))
    for side in ("in", "out"):
        watching.arrived(context.visit, context.practitioner, side, context.at)
    if encounter.contested:
        return None
    others = Encounter.objects.filter(visit=context.visit, in_at__isnull=False).exclude(pk=encounter.pk)
    if others.exclude(state=Encounter.State.CANCELLED).exists():
        said = _("A colleague is or was with the patient: the visit goes on without you, and the coordinator ends it.")
        return Conflict(said, reason="colleague")
    return _tried(context, lambda: visits.miss(context.actor, context.visit.pk, context.at, document.cause))


def _written(context: Context, kind: str, document: Any) -> Entry:
    number = next_number(context.encounter, kind)
    entry = Entry.objects.create(
        encounter=context.encounter,
        kind=kind,
        number=number,
        at=context.at,
        known_at=timezone.now(),
        author=context.practitioner,
        operation=context.operation,
        content=keep(context.person, documents.plain(document), LINE),
    )
    return entry


def _write(context: Context, document: Any) -> None:
    """Keep an entry. Of a kind of which one counts, it is refused where another device wrote meanwhile."""
    kind = context.operation.kind
    if kind in VERSIONED and context.base is not None:
        last = Entry.objects.filter(encounter=context.encounter, kind=kind).select_related("operation")
        newest = last.order_by("-number").first()
        elsewhere = newest is not None and (
            newest.operation is None or newest.operation.device != context.operation.device
        )
        if newest is not None and newest.number > context.base and elsewhere:
            said = _("“%(what)s” was changed on another device meanwhile; both are kept. Look at it and write it anew.")
            raise Conflict(said % {"what": newest.get_kind_display()}, reason="edited", number=newest.number)
    entry = _written(context, kind, document)
    record(
        context.actor,
        act("homecare.encounter.write", context.encounter, context.visit, kind=kind, number=entry.number),
    )


def _photo(context: Context, picture: documents.Picture) -> None:
    agreed = Entry.objects.filter(encounter=context.encounter, kind=Entry.Kind.CONSENT).order_by("-number").first()
    if agreed is None or not clear(context.person, agreed.content, LINE)["photos"]:
        raise Invalid.one("content", _("The patient has not agreed to pictures; ask first and note it."))
    try:
        media = UUID(picture.media)
    except ValueError as error:
        raise Invalid.one("content.media", _("Must be a UUID.")) from error
    if Photo.objects.filter(pk=media).exists():
        raise Conflict(_("There is a picture with this id already; use a new one."), reason="twice")
    detail = documents.plain(picture) | {"measured": measured(picture)}
    Photo.objects.create(
        id=media,
        encounter=context.encounter,
        operation=context.operation,
        content_type=picture.content_type,
        size=picture.size,
        width=picture.width,
        height=picture.height,
        sha256=bytes.fromhex(picture.sha256),
        detail=keep(context.person, detail, PHOTO),
        at=context.at,
    )
    record(context.actor, act("homecare.encounter.photo", context.encounter, context.visit, media=str(media)))


def measured(picture: documents.Picture) -> dict[str, Any] | None:
    if picture.ruler is None:
        return None
    found = measuring.measure(picture.ruler.ends, picture.ruler.millimetres, picture.outline)
    return None if found is None else dict(vars(found))


def _trail(context: Context, trail: documents.Trail) -> None:
    """Their own way, encrypted with their own key: only where the institution wants it, and they were told."""
    if not rules(context.visit.institution).trace:
        raise Invalid.one("kind", _("This institution does not record anybody's way."))
    person = context.practitioner.person_id
    moments = [datetime.fromtimestamp(one[0] / 1000, timezone.get_current_timezone()) for one in trail.points]
    Trace.objects.create(
        encounter=context.encounter,
        practitioner=context.practitioner,
        operation=context.operation,
        since=min(moments),
        until=max(moments),
        points=len(trail.points),
        content=keep(person, documents.plain(trail), TRAIL),
    )
    said = Act("homecare.encounter.trace", context.encounter, context.visit.place_id, subject=person)
    record(context.actor, said)


def _entry(context: Context, document: Any) -> None:
    _write(context, document)


HANDLERS: Mapping[str, Handler] = {
    "check_in": _check_in,
    "check_out": _check_out,
    "missed": _missed,
    "photo": _photo,
    "trail": _trail,
    **dict.fromkeys((*VERSIONED, "vitals", "addendum"), _entry),
}
