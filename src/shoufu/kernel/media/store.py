import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid, Problem

CHUNK = 1 << 20


@dataclass(frozen=True)
class Form:
    """A kind of file that the store takes: its suffix and the most bytes of one."""

    suffix: str
    most: int


FORMS = {
    "image/jpeg": Form(".jpg", 8 * CHUNK),
    "image/png": Form(".png", 8 * CHUNK),
    "image/webp": Form(".webp", 8 * CHUNK),
    "video/mp4": Form(".mp4", 128 * CHUNK),
}


@dataclass(frozen=True)
class Stored:
    """Bytes that are on the disk for good: where (a key below the media folder), how many, and their SHA-256."""

    key: str
    size: int
    sha256: bytes


def path(key: str) -> Path:
    """The file of a key."""
    return Path(settings.MEDIA_ROOT) / key


def key_for(media_id: UUID, content_type: str, t: datetime) -> str:
    """A key by day, so that a folder never grows without end: "2026/11/23/<id>.jpg"."""
    return f"{t:%Y/%m/%d}/{media_id}{FORMS[content_type].suffix}"


def _chunks(source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def check(content_type: str, head: bytes, tail: bytes, size: int) -> None:
    """Refuse what is not whole or not what it says: by its first and last bytes and its size."""
    form = FORMS.get(content_type)
    if form is None:
        raise Invalid.one("Content-Type", _("Send one of: %(types)s.") % {"types": ", ".join(sorted(FORMS))})
    if size == 0:
        raise Invalid.one("body", _("The file is empty."))
    if size > form.most:
        raise Invalid.one("body", _("At most %(most)s MiB; send a smaller one.") % {"most": form.most // CHUNK})
    if content_type == "image/jpeg" and not (head.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in tail):
        raise Invalid.one("body", _("This JPEG is broken or cut short; send it again."))
    if content_type == "image/png" and not (head.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in tail):
        raise Invalid.one("body", _("This PNG is broken or cut short; send it again."))
    if content_type == "image/webp" and not (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP" and int.from_bytes(head[4:8], "little") + 8 == size
    ):
        raise Invalid.one("body", _("This WebP is broken or cut short; send it again."))
    if content_type == "video/mp4" and head[4:8] != b"ftyp":
        raise Invalid.one("body", _("This is no MP4 file; send it again."))


def _ends(source: bytes | Path) -> tuple[bytes, bytes, int]:
    if isinstance(source, bytes):
        return source[:16], source[-32:], len(source)
    with source.open("rb") as file:
        head = file.read(16)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 32))
        return head, file.read(32), size


def put(media_id: UUID, content_type: str, t: datetime, source: bytes | Path) -> Stored:
    """Write the bytes under their key: a temporary file, fsync, rename, so that a reader sees all or nothing.

    Raises Invalid for what `check` refuses, and Problem (507) when the disk is full or not writable.
    """
    check(content_type, *_ends(source))
    return write(key_for(media_id, content_type, t), source)


def write(key: str, source: bytes | Path) -> Stored:
    """The same for bytes that are no picture that anybody could open, such as sealed ones: nothing is looked at."""
    target, hasher, size = path(key), hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in _chunks(source):
                    hasher.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(draft, 0o640)
            os.replace(draft, target)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        detail = _("The media folder cannot be written (%(reason)s); free some space or check its rights.")
        raise Problem(_("Not stored"), detail % {"reason": error.strerror}, 507, "storage") from error
    return Stored(key, size, hasher.digest())


def open_key(key: str) -> BufferedReader:
    """The bytes of a key, for reading; FileNotFoundError when they are gone."""
    return path(key).open("rb")


def remove(key: str) -> None:
    """Delete the bytes; one that is gone already is no error."""
    path(key).unlink(missing_ok=True)


def digest(key: str) -> bytes:
    """SHA-256 of what lies on the disk now."""
    with open_key(key) as file:
        return hashlib.file_digest(file, "sha256").digest()


def free_bytes() -> int:
    """Free space where the media lie."""
    root = Path(settings.MEDIA_ROOT)
    return shutil.disk_usage(root if root.exists() else root.parent).free
