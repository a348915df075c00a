from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shoufu.kernel.places import datum as datums
from shoufu.kernel.places import geometry as shapes
from shoufu.kernel.places.models import Place

MANAGE = "places.manage"
MOVE_LOCK = 0x706C6163  # "plac": one move of subtrees at a time, so two cannot make a circle

# Which kinds a place of a kind may stand in; None is the top.
INSIDE: Mapping[str, frozenset[str | None]] = {
    "district": frozenset({None}),
    "block": frozenset({None, "district"}),
    "compound": frozenset({None, "district", "block"}),
    "building": frozenset({"block", "compound"}),
    "unit": frozenset({"building"}),
    "door": frozenset({"compound", "building", "unit", "area"}),
    "gate": frozenset({"block", "compound", "area"}),
    "area": frozenset({"district", "block", "compound", "building", "area"}),
    "road": frozenset({"district", "block", "compound"}),
}


@dataclass(frozen=True)
class PlaceDraft:
    """A place to be: `parent` is the code of an existing place or of another draft of the same call; None is the top.

    `geometry` is GeoJSON and `longitude`, `latitude` degrees, all in `datum` ("WGS-84", "GCJ-02", "BD-09"); stored as
    WGS-84. Without a position the geometry's centre is taken.
    """

    kind: str
    code: str
    name: str
    parent: str | None = None
    name_en: str = ""
    sort: int = 0
    geometry: Mapping[str, Any] | None = None
    longitude: float | None = None
    latitude: float | None = None
    datum: str = "WGS-84"
    time_zone: str = "Asia/Shanghai"


@dataclass(frozen=True)
class _Shape:
    geometry: dict[str, Any] | None
    longitude: float | None
    latitude: float | None


def create(actor: Actor, draft: PlaceDraft) -> Place:
    """Make one place."""
    return create_many(actor, [draft])[0]


@transaction.atomic
def create_many(actor: Actor, drafts: Sequence[PlaceDraft]) -> list[Place]:
    """Make places, parents before or after children, all or none; five queries however many.

    Errors name the draft as /index/field. Conflict when a code or a sibling's name is taken.
    """
    if not drafts:
        return []
    order = _parents_first(drafts)
    known = {place.code: place for place in _lock({draft.parent for draft in drafts if draft.parent})}
    made: dict[str, Place] = {}
    errors: list[FieldError] = []
    for number, pk in zip(order, _ids(len(drafts)), strict=True):
        draft = drafts[number]
        parent = made.get(draft.parent or "") or known.get(draft.parent or "")
        if parent is not None and parent.code not in made and not _in_sight(actor, parent):
            parent = None  # says the same as a place that is not there
        found = _errors(draft, parent)
        if found:
            errors += [FieldError(f"/{number}/{error.field}", error.message) for error in found]
            continue
        _require_below(actor, parent)
        made[draft.code] = _made(draft, parent, pk, f"/{number}/")
    if errors:
        raise Invalid(*errors)
    _insert(list(made.values()))
    record_many(actor, [_created(place) for place in made.values()])
    return [made[draft.code] for draft in drafts]


def _parents_first(drafts: Sequence[PlaceDraft]) -> list[int]:
    index = {draft.code: number for number, draft in enumerate(drafts)}
    if len(index) < len(drafts):
        twice = next(number for number, draft in enumerate(drafts) if index[draft.code] != number)
        raise Invalid.one(f"/{twice}/code", _("The code appears twice in this call."))
    order: dict[int, None] = {}
    for start in range(len(drafts)):
        chain: list[int] = []
        number: int | None = start
        while number is not None and number not in order:
            if number in chain:
                raise Invalid.one(f"/{number}/parent", _("These places would contain one another."))
            chain.append(number)
            number = index.get(drafts[number].parent or "")
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


def _lock(codes: Iterable[str]) -> QuerySet[Place]:
    # Locked so that the path read here is still the path when the children are written.
    return Place.objects.select_for_update(no_key=True).filter(code__in=list(codes)).order_by("pk")


def _ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence('places_place', 'id')) from generate_series(1, %s)", [count]
        )
        return [row[0] for row in cursor.fetchall()]


def _errors(draft: PlaceDraft, parent: Place | None) -> list[FieldError]:
    errors = [
        FieldError(name, _("Must not be empty.")) for name in ("code", "name") if not str(getattr(draft, name)).strip()
    ]
    if draft.kind not in INSIDE:
        errors.append(FieldError("kind", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(INSIDE)}))
    elif draft.parent and parent is None:
        errors.append(FieldError("parent", _("There is no place with the code %(code)s.") % {"code": draft.parent}))
    elif (parent.kind if parent else None) not in INSIDE[draft.kind]:
        errors.append(FieldError("parent", _wrong_parent(draft.kind)))
    elif parent is not None and parent.closed_at is not None:
        errors.append(FieldError("parent", _("%(place)s is closed; reopen it first.") % {"place": parent.label}))
    try:
        ZoneInfo(draft.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        errors.append(FieldError("time_zone", _("Use a name of the IANA database, such as Asia/Shanghai.")))
    return errors


def _wrong_parent(kind: str) -> str:
    labels = [str(Place.Kind(inside).label) if inside else _("the top") for inside in sorted(INSIDE[kind], key=str)]
    return _("A %(kind)s stands in one of: %(inside)s.") % {
        "kind": Place.Kind(kind).label,
        "inside": ", ".join(labels),
    }


def _in_sight(actor: Actor, place: Place) -> bool:
    return actor.may("places.view", place.path) or actor.may(MANAGE, place.path)


def _require_below(actor: Actor, parent: Place | None) -> None:
    if parent is not None:
        policy.require(actor, MANAGE, parent)
    elif not actor.is_system:
        raise Forbidden(_("Only the system makes a place at the top."))


def _made(draft: PlaceDraft, parent: Place | None, pk: int, prefix: str = "") -> Place:
    shape = _shape(draft.geometry, draft.longitude, draft.latitude, draft.datum, prefix)
    if draft.datum == "WGS-84":
        _refuse_wrong_datum(shape, parent, prefix)
    return Place(
        pk=pk,
        parent=parent,
        kind=draft.kind,
        code=draft.code.strip(),
        name=draft.name.strip(),
        name_en=draft.name_en.strip(),
        path=f"{parent.path if parent else '/'}{pk}/",
        depth=parent.depth + 1 if parent else 0,
        sort=draft.sort,
        geometry=shape.geometry,
        longitude=shape.longitude,
        latitude=shape.latitude,
        datum=draft.datum,
        time_zone=draft.time_zone,
    )


def _shape(
    geometry: Mapping[str, Any] | None, longitude: float | None, latitude: float | None, datum: str, prefix: str = ""
) -> _Shape:
    how = datums.TO_WGS84.get(datum)
    if how is None:
        raise Invalid.one(f"{prefix}datum", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(datums.TO_WGS84)})
    shape = shapes.check(geometry, f"{prefix}geometry") if geometry is not None else None
    if shape is not None and datum != "WGS-84":
        shape = shapes.convert(shape, how)
    if longitude is not None or latitude is not None:
        return _Shape(shape, *how(*shapes.position([longitude, latitude], f"{prefix}longitude")))
    return _Shape(shape, *(shapes.centre(shape) if shape else (None, None)))


def _refuse_wrong_datum(shape: _Shape, parent: Place | None, prefix: str = "") -> None:
    found = shapes.points(shape.geometry) if shape.geometry else []
    if not found and shape.longitude is not None and shape.latitude is not None:
        found = [(shape.longitude, shape.latitude)]
    if parent is None or not found:
        return
    near = [(parent.longitude, parent.latitude)] if parent.longitude is not None and parent.latitude is not None else []
    suspected = shapes.suspected_datum(found, parent.geometry, near)
    if suspected:
        raise Invalid(shapes.refuse_wrong_datum(suspected, f"{prefix}datum"))


def _insert(places: list[Place]) -> None:
    try:
        with transaction.atomic():
            Place.objects.bulk_create(places)
    except IntegrityError as error:
        raise Conflict(_("A place with this code, or with this name beside it, is already there.")) from error


def _created(place: Place) -> Act:
    return Act(
        "places.create", place, place=place.pk, data={"code": place.code, "kind": place.kind, "name": place.name}
    )


def _locked(actor: Actor, place_id: int) -> Place:
    place = Place.objects.select_for_update().filter(pk=place_id).first()
    if place is None or not _in_sight(actor, place):
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    policy.require(actor, MANAGE, place)
    return place


@transaction.atomic
def rename(actor: Actor, place_id: int, name: str, name_en: str = "") -> Place:
    """Give a place other names."""
    place = _locked(actor, place_id)
    if not name.strip():
        raise Invalid.one("name", _("Must not be empty."))
    before = {"name": place.name, "name_en": place.name_en}
    place.name, place.name_en = name.strip(), name_en.strip()
    try:
        with transaction.atomic():
            place.save(update_fields=["name", "name_en"])
    except IntegrityError as error:
        raise Conflict(_("A place beside it already has this name.")) from error
    after = {"name": place.name, "name_en": place.name_en}
    record(actor, Act("places.rename", place, place=place.pk, data={"before": before, "after": after}))
    return place


@transaction.atomic
def set_shape(
    actor: Actor,
    place_id: int,
    geometry: Mapping[str, Any] | None,
    longitude: float | None = None,
    latitude: float | None = None,
    datum: str = "WGS-84",
) -> Place:
    """Give a place another outline or position, in degrees of `datum`."""
    place = _locked(actor, place_id)
    shape = _shape(geometry, longitude, latitude, datum)
    if datum == "WGS-84":
        _refuse_wrong_datum(shape, place.parent)
    before = {"longitude": place.longitude, "latitude": place.latitude}
    place.geometry, place.longitude, place.latitude = shape.geometry, shape.longitude, shape.latitude
    place.datum = datum
    place.save(update_fields=["geometry", "longitude", "latitude", "datum"])
    after = {"longitude": place.longitude, "latitude": place.latitude}
    record(actor, Act("places.set_shape", place, place=place.pk, data={"before": before, "after": after}))
    return place


@transaction.atomic
def move(actor: Actor, place_id: int, parent_id: int) -> Place:
    """Hang a place, with everything below it, into another parent; one UPDATE however large the subtree."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [MOVE_LOCK])
    place = _locked(actor, place_id)
    parent = _locked(actor, parent_id)
    if parent.path.startswith(place.path):
        raise Invalid.one("parent", _("A place cannot stand inside itself."))
    if parent.kind not in INSIDE[place.kind]:
        raise Invalid.one("parent", _wrong_parent(place.kind))
    if parent.closed_at is not None:
        raise Invalid.one("parent", _("%(place)s is closed; reopen it first.") % {"place": parent.label})
    before = {"parent": place.parent_id, "path": place.path}
    _move_subtree(place, parent)
    record(actor, Act("places.move", place, place=place.pk, data={"before": before, "after": {"parent": parent.pk}}))
    return place


def _move_subtree(place: Place, parent: Place) -> None:
    path = f"{parent.path}{place.pk}/"
    below = Place.objects.filter(path__startswith=place.path)
    # Locked in one order before the update: a child being made below waits here, or is seen by the update.
    list(below.select_for_update().order_by("pk").values_list("pk"))
    rest = Substr("path", len(place.path) + 1)
    try:
        with transaction.atomic():
            Place.objects.filter(pk=place.pk).update(parent=parent)
            below.update(
                path=Concat(Value(path), rest, output_field=TextField()),
                depth=F("depth") + (parent.depth + 1 - place.depth),
            )
    except IntegrityError as error:
        raise Conflict(_("A place there already has this name.")) from error
    place.refresh_from_db()


@transaction.atomic
def close(actor: Actor, place_id: int, reason: str) -> int:
    """Take a place and everything below it out of use; how many were closed. Its devices must be retired before."""
    place = _locked(actor, place_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the place is closed."))
    below = Place.objects.filter(path__startswith=place.path)
    devices = below.filter(devices__isnull=False, devices__retired_at__isnull=True).count()
    if devices:
        raise Conflict(_("%(n)d devices still work there; retire or move them first.") % {"n": devices})
    closed = below.filter(closed_at__isnull=True).update(closed_at=timezone.now())
    record(actor, Act("places.close", place, place=place.pk, reason=reason.strip(), data={"places": closed}))
    return closed


@transaction.atomic
def reopen(actor: Actor, place_id: int) -> Place:
    """Take a closed place into use again, with what was closed together with it."""
    place = _locked(actor, place_id)
    if place.closed_at is None:
        return place
    if place.parent is not None and place.parent.closed_at is not None:
        raise Conflict(_("%(place)s is closed; reopen it first.") % {"place": place.parent.label})
    together: datetime = place.closed_at
    Place.objects.filter(path__startswith=place.path, closed_at=together).update(closed_at=None)
    record(actor, Act("places.reopen", place, place=place.pk))
    place.closed_at = None
    return place
