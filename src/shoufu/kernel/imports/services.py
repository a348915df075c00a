import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.bulk import uncollected
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.imports import selectors, undoing
from shoufu.kernel.imports.kinds import ImportKind, Plan, kinds
from shoufu.kernel.imports.models import Import
from shoufu.kernel.imports.reading import read, where
from shoufu.kernel.imports.selectors import Preview
from shoufu.kernel.places.models import Place

SHOWN_ERRORS = 50


def _kind(code: str) -> ImportKind:
    kind = kinds().get(code)
    if kind is None:
        raise Invalid.one("kind", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(kinds())})
    return kind


def _place(actor: Actor, kind: ImportKind, place_id: int) -> Place:
    place = Place.objects.filter(pk=place_id, closed_at__isnull=True).first()
    if place is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    for permission in kind.permissions:
        policy.require(actor, permission, place)
    if place.kind not in kind.places:
        raise Invalid.one("place", _("Choose the compound (or what lies above it) that the file is about."))
    return place


@uncollected()
@transaction.atomic
def upload(actor: Actor, kind_code: str, place_id: int, file_name: str, data: bytes) -> tuple[Import, Preview]:
    """Take a file and say what it would do; nothing is written to the register. Invalid where there is no table."""
    kind = _kind(kind_code)
    place = _place(actor, kind, place_id)
    preview = _preview(actor, kind, place, data, None)
    draft = Import(
        kind=kind.code,
        place=place,
        file_name=file_name.rpartition("/")[2][-200:] or "file",
        sha256=hashlib.sha256(data).digest(),
        size=len(data),
        rows=preview.rows,
        author_id=actor.user_id,
        author_label=actor.label[:120],
    )
    draft.save()
    draft.content = keyring.ring().encrypt(data, _context(draft))
    draft.save(update_fields=["content"])
    record(actor, Act("imports.upload", draft, place=place.pk, data={"kind": kind.code, "rows": preview.rows}))
    return draft, preview


def _context(draft: Import) -> bytes:
    return f"import:{draft.pk}".encode()


def _preview(actor: Actor, kind: ImportKind, place: Place, data: bytes, mapping: Mapping[str, int] | None) -> Preview:
    reading = read(kind, data, mapping)
    broken = {error.row for error in reading.errors}
    whole = [row for row in reading.records if row.row not in broken]
    missing = any(item.required and item.code not in reading.mapping for item in kind.fields)
    plan = Plan() if missing else kind.plan(actor, place, whole)
    plan.errors = sorted([*reading.errors, *plan.errors], key=lambda error: error.row)
    return Preview(kind, reading, plan)


def _draft(actor: Actor, import_id: int) -> tuple[Import, ImportKind]:
    selectors.get(actor, import_id)
    draft = Import.objects.select_for_update(of=("self",)).select_related("place").get(pk=import_id)
    kind = _kind(draft.kind)
    for permission in kind.permissions:
        policy.require(actor, permission, draft.place)
    if draft.state != Import.State.DRAFT or draft.content is None:
        raise Conflict(_("This import is already “%(state)s”.") % {"state": draft.get_state_display()})
    return draft, kind


def _content(draft: Import) -> bytes:
    return keyring.ring().decrypt(bytes(draft.content or b""), _context(draft))


@transaction.atomic
def preview(actor: Actor, import_id: int) -> Preview:
    """What a file that was uploaded would do now."""
    draft, kind = _draft(actor, import_id)
    return _preview(actor, kind, draft.place, _content(draft), draft.mapping)


@transaction.atomic
def remap(actor: Actor, import_id: int, mapping: Mapping[str, int]) -> Import:
    """Say which column means which field (field code → column from 0); a field that is left out is not read."""
    draft, kind = _draft(actor, import_id)
    unknown = set(mapping) - {item.code for item in kind.fields}
    if unknown:
        raise Invalid.one("mapping", _("There is no field “%(name)s”.") % {"name": sorted(unknown)[0]})
    if len(set(mapping.values())) < len(mapping):
        twice = next(code for code, column in mapping.items() if list(mapping.values()).count(column) > 1)
        raise Invalid.one(twice, _("Two fields cannot read the same column."))
    draft.mapping = dict(mapping)
    draft.save(update_fields=["mapping"])
    record(actor, Act("imports.remap", draft, place=draft.place_id))
    return draft


@uncollected()
@transaction.atomic
def apply(actor: Actor, import_id: int) -> Import:
    """Write what the file says, all or nothing; Invalid with every error (cell by cell) where there is one.

    The file is planned again against the register as it is now, so two imports at once cannot write the same twice.
    """
    draft, kind = _draft(actor, import_id)
    found = _preview(actor, kind, draft.place, _content(draft), draft.mapping)
    if not found.applicable:
        raise Invalid(
            *(FieldError(where(found.reading, error), error.message) for error in found.plan.errors[:SHOWN_ERRORS]),
            title=_("Nothing was imported"),
            detail=_("%(n)d errors in the file; correct them and send it again.") % {"n": len(found.plan.errors)},
        )
    written = found.plan.write()
    draft.state, draft.applied_at, draft.content = Import.State.APPLIED, timezone.now(), None
    draft.rows, draft.created, draft.changed, draft.same = found.rows, found.created, found.changed, found.same
    draft.undo = keyring.ring().encrypt(undoing.packed(written), _context(draft))
    draft.save()
    counts = {"kind": draft.kind, "created": draft.created, "changed": draft.changed, "same": draft.same}
    record(actor, Act("imports.apply", draft, place=draft.place_id, data=counts))
    return draft


@transaction.atomic
def drop(actor: Actor, import_id: int) -> Import:
    """Forget a file that was not imported."""
    draft, _kind_ = _draft(actor, import_id)
    draft.state, draft.content = Import.State.DROPPED, None
    draft.save(update_fields=["state", "content"])
    record(actor, Act("imports.drop", draft, place=draft.place_id))
    return draft


def obstacles(actor: Actor, import_id: int) -> list[str]:
    """What stands in the way of undoing an import, in words; empty where nothing does."""
    done = selectors.get(actor, import_id)
    if done.state != Import.State.APPLIED or not done.undo:
        return [_("Only an import of the last %(n)d days can be undone.") % {"n": Import.RETENTION_DAYS}]
    return undoing.obstacles(undoing.unpacked(_undo(done)))


def _undo(done: Import) -> bytes:
    return keyring.ring().decrypt(bytes(done.undo or b""), _context(done))


@uncollected()
@transaction.atomic
def undo(actor: Actor, import_id: int, reason: str) -> Import:
    """Take a whole import back: what it made goes, what it changed is as before. Conflict says what stands in
    the way."""
    selectors.get(actor, import_id)
    done = Import.objects.select_for_update(of=("self",)).select_related("place").get(pk=import_id)
    for permission in _kind(done.kind).permissions:
        policy.require(actor, permission, done.place)
    if done.state != Import.State.APPLIED or not done.undo:
        raise Conflict(_("Only an import of the last %(n)d days can be undone.") % {"n": Import.RETENTION_DAYS})
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the import is undone."))
    written = undoing.unpacked(_undo(done))
    if found := undoing.obstacles(written, lock=True):
        raise Conflict(_("The import cannot be undone yet.") + " " + " ".join(found))
    undoing.revert(actor, written, done.place_id)
    done.state, done.undone_at, done.undo = Import.State.UNDONE, timezone.now(), None
    done.save(update_fields=["state", "undone_at", "undo"])
    record(actor, Act("imports.undo", done, place=done.place_id, reason=reason.strip()))
    return done


@transaction.atomic
def purge(actor: Actor, now: datetime | None = None) -> int:
    """Forget files that nobody imported within a day, and ways back older than 30 days; how many."""
    moment = now or timezone.now()
    drafts = Import.objects.filter(
        state=Import.State.DRAFT, uploaded_at__lt=moment - timedelta(days=Import.DRAFT_DAYS)
    ).update(state=Import.State.DROPPED, content=None)
    old = moment - timedelta(days=Import.RETENTION_DAYS)
    undos = Import.objects.filter(applied_at__lt=old, undo__isnull=False).update(undo=None)
    if drafts or undos:
        record(actor, Act("imports.purge", object_type="imports.import", data={"files": drafts, "undos": undos}))
    return drafts + undos
