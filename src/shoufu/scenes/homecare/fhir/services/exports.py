"""Files of many resources, made in the background (https://hl7.org/fhir/uv/bulkdata/)."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.fhir.reading import write
from shoufu.engines.fhir.rest import Search, matching, read
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.scenes.homecare.fhir import kinds, searching, selectors
from shoufu.scenes.homecare.fhir.kept import Kept, instant
from shoufu.scenes.homecare.fhir.models import BulkExport
from shoufu.scenes.homecare.fhir.opened import Seen

KEPT, LONGEST, MOST_WAITING = timedelta(hours=24), timedelta(hours=6), 5
State = BulkExport.State


@dataclass(frozen=True)
class ExportDraft:
    """What to export: all types where none is named; only what changed since a moment where one is given."""

    level: str
    reason: str
    types: Sequence[str] = ()
    since: datetime | None = None
    request: str = ""


def folder() -> Path:
    return Path(settings.DATA_ROOT) / "exports" / "fhir"


def _folder(export_id: UUID) -> Path:
    return folder() / str(export_id)


@transaction.atomic
def ask_export(actor: Actor, draft: ExportDraft) -> BulkExport:
    """Ask for files. The reason stands in the audit log and with each person whom a resource is about."""
    from shoufu.scenes.homecare.fhir.tasks import make_export

    require_anywhere(actor, selectors.EXPORT)
    require_anywhere(actor, selectors.READ)
    allowed = kinds.of_patients() if draft.level == BulkExport.Level.PATIENT else kinds.TYPES
    errors = [] if draft.reason.strip() else [FieldError("_reason", _("Say why you export; people can read it."))]
    if wrong := [kind for kind in draft.types if kind not in allowed]:
        said = _("“%(value)s” is not exported here. Use: %(kinds)s.")
        errors.append(FieldError("_type", said % {"value": wrong[0][:64], "kinds": ", ".join(allowed)}))
    if errors:
        raise Invalid(*errors)
    waiting = BulkExport.objects.filter(asked_by=actor.user_id, state__in=[State.QUEUED, State.RUNNING])
    if waiting.count() >= MOST_WAITING:
        raise Conflict(
            _("%(most)s exports of yours are being made; wait for one, or cancel it.") % {"most": MOST_WAITING}
        )
    now = timezone.now()
    row = BulkExport.objects.create(
        level=draft.level,
        types=list(dict.fromkeys(draft.types)),
        since=draft.since,
        reason=draft.reason.strip()[:200],
        request=draft.request[:500],
        asked_by_id=actor.user_id,
        place=selectors.widest(actor, selectors.EXPORT),
        asked_at=now,
        expires_at=now + KEPT,
    )
    record(actor, Act("homecare.fhir.export_ask", row, row.place_id, reason=row.reason, data={"types": row.types}))
    transaction.on_commit(lambda: make_export.defer(export_id=str(row.pk)))
    return row


@transaction.atomic
def cancel_export(actor: Actor, export_id: UUID) -> None:
    """Stop an export that is being made, and delete its files."""
    row = selectors.export(actor, export_id)
    if row.state in (State.CANCELLED, State.EXPIRED):
        raise NotFound(_("There is no such export, or it was deleted."))
    BulkExport.objects.filter(pk=row.pk).update(state=State.CANCELLED, files=[])
    record(actor, Act("homecare.fhir.export_cancel", row, row.place_id))
    transaction.on_commit(lambda: shutil.rmtree(_folder(row.pk), ignore_errors=True))


@transaction.atomic
def fetch_file(actor: Actor, export_id: UUID, kind: str) -> Path:
    """One file of a finished export, for who asked for it and still may; leaves an entry."""
    require_anywhere(actor, selectors.EXPORT)
    row = selectors.export(actor, export_id)
    path = _folder(row.pk) / f"{kind}.ndjson"
    known = {one["type"] for one in row.files}
    if row.state != State.READY or row.expires_at <= timezone.now() or kind not in known or not path.is_file():
        raise NotFound(_("There is no such export, or it was deleted."))
    record(actor, Act("homecare.fhir.export_fetch", row, row.place_id, data={"type": kind}))
    return path


class _Cancelled(Exception):
    """Whoever asked wants it no more."""


def make(export_id: UUID) -> None:
    """Make the files of an export; what goes wrong is noted in its row."""
    started = BulkExport.objects.filter(pk=export_id, state=State.QUEUED).update(state=State.RUNNING)
    if not started:
        return
    row = BulkExport.objects.select_related("asked_by").get(pk=export_id)
    try:
        _write(row)
    except _Cancelled:
        shutil.rmtree(_folder(row.pk), ignore_errors=True)
    except Exception as error:
        BulkExport.objects.filter(pk=row.pk).update(state=State.FAILED, problem=type(error).__name__, files=[])
        shutil.rmtree(_folder(row.pk), ignore_errors=True)
        raise


def _write(row: BulkExport) -> None:
    if row.asked_by is None:
        raise NotFound("the account is gone")
    actor = actor_for_user(row.asked_by)
    require_anywhere(actor, selectors.EXPORT)
    require_anywhere(actor, selectors.READ)
    target = _folder(row.pk)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = row.types or list(kinds.of_patients() if row.level == BulkExport.Level.PATIENT else kinds.TYPES)
    files, seen = [], Seen()
    for number, kind in enumerate(wanted):
        _step(row, number / len(wanted))
        made = _file(target / f"{kind}.ndjson", kind, _resources(actor, row, kind), seen, row)
        files += [made] if made else []
    with transaction.atomic():
        done = BulkExport.objects.filter(pk=row.pk, state=State.RUNNING)
        if not done.update(state=State.READY, progress=1.0, files=files):
            raise _Cancelled
        record_many(actor, seen.acts("homecare.fhir.export", row.reason))


def _step(row: BulkExport, share: float) -> None:
    if not BulkExport.objects.filter(pk=row.pk, state=State.RUNNING).update(progress=share):
        raise _Cancelled


def _resources(actor: Actor, row: BulkExport, kind: str) -> Iterator[Kept]:
    query = [("_lastUpdated", f"ge{instant(row.since)}")] if row.since is not None else []
    wanted: Search = read(kind, query)
    parameter = kinds.subject_parameter(kind)
    for one in searching.every(actor, wanted):
        if row.level == BulkExport.Level.PATIENT and kind != "Patient" and one.person is None:
            about = matching.pointers(one.content, parameter) if parameter is not None else []
            if not any(pointer.type == "Patient" for pointer in about):
                continue
        yield one


def _file(path: Path, kind: str, found: Iterator[Kept], seen: Seen, row: BulkExport) -> dict[str, Any] | None:
    """Write one line a resource; None, and no file, where there is none."""
    count, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        path.chmod(0o600)
        for one in found:
            line = write(one.content) + b"\n"
            file.write(line)
            digest.update(line)
            seen.add(one)
            count += 1
            if count % 500 == 0 and not BulkExport.objects.filter(pk=row.pk, state=State.RUNNING).exists():
                raise _Cancelled
        size = file.tell()
    if not count:
        path.unlink()
        return None
    return {"type": kind, "count": count, "size": size, "sha256": digest.hexdigest()}


def expire(now: datetime) -> int:
    """Delete the files of exports past their end, give up what is being made too long, and sweep what no row names."""
    late = BulkExport.objects.filter(state__in=[State.QUEUED, State.RUNNING], asked_at__lt=now - LONGEST)
    late.update(state=State.FAILED, problem="TimeoutError")
    due = BulkExport.objects.filter(state=State.READY, expires_at__lte=now)
    gone = due.update(state=State.EXPIRED, files=[])
    live = BulkExport.objects.filter(state__in=[State.QUEUED, State.RUNNING, State.READY])
    known = {str(key) for key in live.values_list("pk", flat=True)}
    for path in folder().glob("*") if folder().is_dir() else ():
        if path.name not in known:
            shutil.rmtree(path, ignore_errors=True)
    return gone
