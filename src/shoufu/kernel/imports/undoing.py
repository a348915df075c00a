"""The way back of an import: what it wrote, what has come to depend on it, and taking it away again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from django.apps import apps
from django.db import models
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.models import SubjectKey
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.lookups import among
from shoufu.kernel.imports.kinds import Altered, Written

# Children before what they stand on; a model that is not named here goes first.
LAST = ("parties.person", "parties.household", "parties.organisation", "places.place")
PERSON = "parties.person"


def altered(before: Sequence[Model], after: Sequence[Model], columns: Sequence[str]) -> Iterator[Altered]:
    """What was changed, row by row; both lists hold the same rows in the same order."""
    for old, new in zip(before, after, strict=True):
        was = {name: getattr(old, name) for name in columns}
        now = {name: getattr(new, name) for name in columns}
        yield Altered(new._meta.label_lower, new.pk, was, now)


def packed(written: Written) -> bytes:
    """What was written, as bytes (msgpack)."""
    rows = [[one.model, one.pk, _out(one.before), _out(one.after)] for one in written.altered]
    return msgspec.msgpack.encode({"made": written.made, "altered": rows})


def unpacked(data: bytes) -> Written:
    """The reverse of `packed`."""
    found = msgspec.msgpack.decode(data)
    return Written(found["made"], [Altered(*row) for row in found["altered"]])


def _out(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview | bytes):
        return bytes(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def obstacles(written: Written, *, lock: bool = False) -> list[str]:
    """What depends on the new rows or has changed the altered ones since, in words; a constant number of queries."""
    found: list[str] = []
    for name, ids in written.made.items():
        model = apps.get_model(name)
        if lock:
            list(model._default_manager.select_for_update().filter(among("pk", ids)).values_list("pk").order_by("pk"))
        gone = len(ids) - model._default_manager.filter(among("pk", ids)).count()
        if gone:
            found.append(_("%(n)d of the imported %(what)s are no longer there.") % {"n": gone, "what": _many(model)})
        found += list(_dependants(model, ids, written.made))
    found += list(_changed(written.altered))
    return found


def _dependants(model: type[Model], ids: Sequence[int], made: Mapping[str, Sequence[int]]) -> Iterator[str]:
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        field, other = relation.field, relation.related_model
        if not field.concrete or not getattr(other._meta, "managed", True):
            continue
        rows = other._default_manager.filter(among(f"{field.name}__pk", ids))
        own = made.get(other._meta.label_lower)
        count = (rows.exclude(among("pk", own)) if own else rows).count()
        if count:
            yield _("%(n)d × %(what)s depend on it; remove those first.") % {"n": count, "what": _many(other)}


def _many(model: type[Model]) -> str:
    from shoufu.kernel.imports.words import rows_of

    return rows_of(model._meta.label_lower)


def _changed(rows: Sequence[Altered]) -> Iterator[str]:
    by_model: dict[str, list[Altered]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    for name, listed in by_model.items():
        model = apps.get_model(name)
        there = model._default_manager.in_bulk([row.pk for row in listed])
        later = sum(1 for row in listed if row.pk not in there or not _as_left(there[row.pk], row))
        if later:
            yield _("%(n)d × %(what)s were changed again since.") % {"n": later, "what": _many(model)}


def _as_left(row: Model, change: Altered) -> bool:
    return all(_plain(getattr(row, name)) == value for name, value in change.after.items())


def revert(actor: Actor, written: Written, place: int) -> None:
    """Take the new rows away and bring the altered ones back; each row gets its entry in the audit log."""
    acts: list[Act] = []
    names = sorted(written.made, key=lambda name: LAST.index(name) if name in LAST else -1)
    for name in names:
        ids = written.made[name]
        rows = apps.get_model(name)._default_manager.filter(among("pk", ids))
        rows._raw_delete(rows.db)
        acts += [Act("imports.take_back", object_type=name, object_id=str(pk), place=place) for pk in ids]
        if name == PERSON:
            SubjectKey.objects.filter(among("subject", ids)).update(key=b"", erased_at=timezone.now())
    for name in dict.fromkeys(row.model for row in written.altered):
        listed = [row for row in written.altered if row.model == name]
        _restore(apps.get_model(name), listed)
        acts += [Act("imports.restore", object_type=name, object_id=str(row.pk), place=place) for row in listed]
    record_many(actor, acts)


def _restore(model: type[Model], listed: Sequence[Altered]) -> None:
    there = model._default_manager.in_bulk([row.pk for row in listed])
    for change in listed:
        for name, value in change.before.items():
            field: Any = model._meta.get_field(name)
            setattr(there[change.pk], name, value if isinstance(value, bytes) else field.to_python(value))
    columns = list(dict.fromkeys(name for change in listed for name in change.before))
    model._default_manager.bulk_update(there.values(), columns, batch_size=2000)
