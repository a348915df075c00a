"""A copy of everything held on a person: JSON for programs, one page to read, pictures beside them."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations, selectors
from shoufu.kernel.privacy.declarations import Holding, Subject
from shoufu.kernel.privacy.erasure import gather, observations, tables
from shoufu.kernel.privacy.erasure.patterns import pattern
from shoufu.kernel.privacy.erasure.subject import shared_with_others
from shoufu.kernel.privacy.models import Export

MOST_ROWS = 20_000


def folder() -> Path:
    return Path(settings.DATA_ROOT) / "exports" / "privacy"


def path(export_id: UUID) -> Path:
    return folder() / f"{export_id}.zip"


def sweep() -> int:
    """Remove files that no row names any more, also those that a crash left behind; how many."""
    known = {str(pk) for pk in Export.objects.values_list("pk", flat=True)}
    gone = [found for found in folder().glob("*") if found.stem not in known] if folder().is_dir() else []
    for found in gone:
        found.unlink(missing_ok=True)
    return len(gone)


@transaction.atomic
def ask(actor: Actor, person_id: int | None = None) -> Export:
    """Ask for a copy of everything held on oneself, or on a person who granted "data.view". Made in the background."""
    from shoufu.kernel.privacy.tasks import build_export

    person = selectors.subject(actor, person_id, "data.view")
    waiting = Export.objects.filter(person=person, state__in=[Export.State.QUEUED, Export.State.RUNNING])
    if waiting.filter(asked_at__gt=timezone.now() - timedelta(hours=1)).exists():
        raise Conflict(_("A copy is being made already."))
    now = timezone.now()
    row = Export.objects.create(
        person=person,
        asked_by_id=actor.user_id,
        asked_at=now,
        expires_at=now + timedelta(days=Export.RETENTION_DAYS),
    )
    record(actor, Act("privacy.ask_export", row, place=person.place_id, subject=person.pk))
    transaction.on_commit(lambda: build_export.defer(export_id=str(row.pk)))
    return row


@transaction.atomic
def fetch(actor: Actor, export_id: UUID) -> Path:
    """The file of a copy, for the person or within their grant; leaves an entry. NotFound otherwise."""
    row = Export.objects.filter(pk=export_id, state=Export.State.READY, expires_at__gt=timezone.now()).first()
    if row is None or not selectors.may_act_for(actor, row.person_id, "data.view") or not path(row.pk).exists():
        raise NotFound(_("There is no such copy, or its time is over; ask for a new one."))
    row.fetched_at = timezone.now()
    row.save(update_fields=["fetched_at"])
    record(actor, Act("privacy.fetch_export", row, subject=row.person_id))
    return path(row.pk)


def build(export_id: UUID) -> Export:
    """Make the file of a copy; a failure is noted in its row."""
    row = Export.objects.select_related("person__place", "asked_by").get(pk=export_id)
    row.state = Export.State.RUNNING
    row.save(update_fields=["state"])
    try:
        target = _write(row)
    except Exception as error:
        row.state, row.problem = Export.State.FAILED, type(error).__name__
        row.save(update_fields=["state", "problem"])
        path(row.pk).unlink(missing_ok=True)
        raise
    row.state, row.progress, row.size = Export.State.READY, 1.0, target.stat().st_size
    row.sha256 = hashlib.sha256(target.read_bytes()).digest()
    row.save(update_fields=["state", "progress", "size", "sha256"])
    return row


def _write(row: Export) -> Path:
    target, language = path(row.pk), row.asked_by.language if row.asked_by else "zh-hans"
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_suffix(".part")

    def step(share: float) -> None:
        Export.objects.filter(pk=row.pk).update(progress=share)

    with (
        translation.override(language),
        draft.open("wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        draft.chmod(0o600)
        subject = gather(row.person)
        found, media = everything(row.person, subject, row.asked_by, step)
        made.writestr("data.json", json.dumps(found, ensure_ascii=False, indent=1, default=str))
        made.writestr(
            "index.html", render_to_string("privacy/export.html", {"sections": found, "made": timezone.now()})
        )
        for item in media:
            file_path = store.path(item.key)
            if file_path.exists():
                made.write(file_path, f"media/{file_path.name}")
    draft.replace(target)
    return target


def everything(
    person: Person, subject: Subject, asker: User | None, step: Callable[[float], None] = lambda share: None
) -> tuple[dict[str, list[Mapping[str, Any]]], list[MediaObject]]:
    """Title → rows of everything held on a person, in the active language, and the pictures of them."""
    found: dict[str, list[Mapping[str, Any]]] = {_("Phone and identity number"): [numbers(person)]}
    holdings = [one for one in declarations.holdings() if one.export]
    for number, holding in enumerate(holdings):
        rows = tables.rows_of(holding, subject)
        if rows is not None:
            found.setdefault(_title(holding), []).extend(shown(holding, one) for one in rows[:MOST_ROWS])
        step(0.8 * (number + 1) / len(holdings))
    if asker is not None and selectors.may_act_for(actor_for_user(asker), person.pk, "looks.view"):
        lines = selectors.looks(actor_for_user(asker), person.pk, most=MOST_ROWS)
        found[_("Who looked at my data")] = [
            {"at": line.at, "who": line.who, "office": line.office, "what": line.what, "reason": line.reason}
            for line in lines
        ]
    own = [item for item in subject.identifiers if item.text not in shared_with_others(subject)]
    named = observations.naming(pattern(own), subject.features, ())
    found[_("Observations about me")] = list(_observed(named.ids))
    return {title: rows for title, rows in found.items() if rows}, list(MediaObject.objects.filter(pk__in=named.media))


def numbers(person: Person) -> dict[str, str]:
    """Phone and identity number in clear, for callers that recorded the look or give it to the person."""
    key = subjects.known_keys([person.pk]).get(person.pk)
    return {
        name: subjects.unseal_text(key, bytes(sealed), person.pk, name)
        for name in ("phone", "identity")
        if (sealed := getattr(person, name)) and key
    }


def _title(holding: Holding) -> str:
    english = (translation.get_language() or "").startswith("en")
    title = holding.title if english else holding.title_zh
    return title or (holding.purpose if english else holding.purpose_zh) or holding.model


def shown(holding: Holding, row: Any) -> Mapping[str, Any]:
    """What a copy shows of a row."""
    if callable(holding.export):
        return holding.export(row)
    return {name: getattr(row, name) for name in holding.export}


def _observed(ids: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    query = (
        "SELECT o.t, k.name, o.result FROM obs o JOIN observations_observationkind k ON k.id = o.kind "
        "WHERE o.id = ANY(%s::uuid[]) ORDER BY o.t"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(ids[:MOST_ROWS])])
        for t, kind, result in cursor.fetchall():
            yield {"at": t, "kind": kind, "result": json.loads(result) if isinstance(result, str) else result}
