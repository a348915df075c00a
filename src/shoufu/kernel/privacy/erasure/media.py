"""Erasure of pictures and clips: those that show or name the person alone; a hold keeps what a case needs."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from shoufu.kernel.cases.models import Case, Evidence
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.privacy.declarations import Identifier, Subject
from shoufu.kernel.privacy.search import unpack
from shoufu.kernel.privacy.search.tokens import Form, Hasher, Searcher, fold

ENDS = 1 << 18
"""Bytes at each end of a file in which cameras and programs write names: EXIF, XMP, MP4 and PNG texts."""


@dataclass(frozen=True)
class Chosen:
    """Media that go, and media that a case keeps (media id → case)."""

    gone: tuple[MediaObject, ...]
    kept: dict[UUID, Case]


def choose(
    wanted: str, subject: Subject, named: Collection[UUID], held: Collection[int], identifiers: Iterable[Identifier]
) -> Chosen:
    """Media named by the person's observations, by their own data, or by what is written inside the file."""
    found = set(named) | _by_data(wanted) | _by_ends(subject, identifiers)
    rows = list(MediaObject.objects.filter(pk__in=found))
    kept: dict[UUID, Case] = {}
    for row in Evidence.objects.filter(media__in=[one.pk for one in rows]).select_related("case"):
        if row.media_id is not None and (row.case_id in held or row.case.state in Case.OPEN):
            kept[row.media_id] = row.case
    return Chosen(tuple(one for one in rows if one.pk not in kept), kept)


def _by_data(wanted: str) -> set[UUID]:
    if not wanted:
        return set()
    rows = MediaObject.objects.exclude(data={}).values_list("pk", "data")
    known = re.compile(wanted, re.IGNORECASE)
    return {pk for pk, data in rows.iterator() if known.search(str(data))}


def _by_ends(subject: Subject, identifiers: Iterable[Identifier]) -> set[UUID]:
    hasher = Hasher(subject.code.encode().ljust(32, b"\0"))
    searcher = Searcher(hasher, hasher.tokens(identifiers))
    found = set()
    for pk, key in MediaObject.objects.values_list("pk", "key").iterator():
        if _names(searcher, store.path(key)):
            found.add(pk)
    return found


def _names(searcher: Searcher, path: Path) -> bool:
    try:
        data = ends(path)
    except FileNotFoundError:
        return False
    if searcher.find(Form.RAW, data.lower()):
        return True
    try:
        parts = [body for _name, body in unpack.inside(data)]
    except unpack.Unreadable:
        return False
    texts = [fold(body.decode("utf-8", "ignore")).encode() for body in parts]
    return any(searcher.find(Form.TEXT, text) for text in texts)


def ends(path: Path) -> bytes:
    """The beginning and the end of a file."""
    with path.open("rb") as file:
        head = file.read(ENDS)
        size = file.seek(0, 2)
        if size <= 2 * ENDS:
            file.seek(len(head))
            return head + file.read()
        file.seek(size - ENDS)
        return head + b"\x00" + file.read()


def delete(chosen: Chosen) -> list[str]:
    """Take the rows, and what closed cases show of them; the keys whose bytes go after the commit."""
    ids = [one.pk for one in chosen.gone]
    Evidence.objects.filter(media__in=ids).delete()
    MediaObject.objects.filter(pk__in=ids).delete()
    return [one.key for one in chosen.gone]
