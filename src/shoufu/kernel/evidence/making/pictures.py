from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from shoufu.engines.blur import Blurred, Subject, blur_clip, blur_picture
from shoufu.engines.evidence import CanonicalZip, File, Gap
from shoufu.engines.evidence.age import encrypt
from shoufu.engines.evidence.archive import chunks, measure
from shoufu.engines.vision import Detector, DetectorOptions
from shoufu.kernel.base import keyring
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.cases.models import Evidence
from shoufu.kernel.evidence.models import Export
from shoufu.kernel.evidence.services import CONTEXT
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject

SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "video/mp4": ".mp4"}


class Telling(Protocol):
    def part(self, base: float, span: float, step: str) -> None: ...

    def share(self, done: float) -> None: ...


@dataclass(frozen=True)
class Bundled:
    """A file of the bundle: its line in the manifest and its bytes."""

    entry: File
    source: bytes | Path


@dataclass
class Made:
    """What the pictures and clips gave: files in order, holes in the recordings, notes for the manifest."""

    files: list[Bundled] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def bundled(path: str, source: bytes | Path, role: str, **more: Any) -> Bundled:
    """A file with its hash and size."""
    entry = measure(path, chunks(source))
    return Bundled(File(path=path, sha256=entry.sha256, size=entry.size, role=role, **more), source)


class Copier:
    """Makes the copies that are given away, and seals the originals."""

    def __init__(self, export: Export, work: Path, progress: Telling) -> None:
        self._export, self._work, self._progress = export, work, progress
        self._detector: Detector | None = None
        self._made = Made()

    def run(self) -> Made:
        """All chosen pictures and clips. Raises Problem where the bytes are gone or not what they were."""
        items = self._items()
        originals: list[tuple[str, Path]] = []
        for number, item in enumerate(items):
            step = _("Picture %(n)d of %(all)d") % {"n": number + 1, "all": len(items)}
            self._progress.part(0.2 + 0.6 * number / len(items), 0.6 / len(items), step)
            assert item.media is not None
            name = f"{number + 1:03d}{SUFFIXES[item.media.content_type]}"
            path = store.path(item.media.key)
            self._check(item.media, path)
            originals.append((name, path))
            self._given(item, name, path)
        self._seal(originals)
        return self._made

    def _items(self) -> Sequence[Evidence]:
        rows = self._export.case.evidence.filter(media__isnull=False).select_related("media__device", "media__place")
        if self._export.media:
            rows = rows.filter(media__in=self._export.media)
        return list(rows.order_by("t", "id"))

    def _check(self, media: MediaObject, path: Path) -> None:
        """The bytes must still be those that were stored: a bundle must not give a changed picture a signature."""
        if not path.is_file():
            raise Problem(_("Gone"), _("A picture of %(t)s is gone from the disk.") % {"t": media.t.isoformat()})
        if store.digest(media.key) != bytes(media.sha256):
            raise Problem(_("Changed"), _("A picture of %(t)s was changed on the disk.") % {"t": media.t.isoformat()})

    def _given(self, item: Evidence, name: str, path: Path) -> None:
        media = item.media
        assert media is not None
        data = media.data if isinstance(media.data, dict) else {}
        device = media.device
        self._note_gaps(media, data)
        about: dict[str, Any] = {
            "media": str(media.pk),
            "kind": media.kind,
            "device": device.code if device else "",
            "device_name": device.name if device else "",
            "place": media.place.name,
            "begins": media.t.isoformat(),
            "ends": media.until.isoformat() if media.until else "",
            "clock_offset": data.get("clock_offset"),
            "original_sha256": bytes(media.sha256).hex(),
            "original_size": media.size,
        }
        if self._export.sharp == Export.Sharp.ALL:
            treatment = "as it was stored, nothing blurred"
            self._made.files.append(
                bundled(
                    f"media/{name}", path, "original", content_type=media.content_type, treatment=treatment, **about
                )
            )
            return
        copy, how = self._blurred(item, name, path)
        content_type = "video/mp4" if media.kind == MediaObject.Kind.CLIP else "image/jpeg"
        self._made.files.append(
            bundled(f"media/{copy.name}", copy, "given", content_type=content_type, treatment=how, **about)
        )

    def _blurred(self, item: Evidence, name: str, path: Path) -> tuple[Path, str]:
        media = item.media
        assert media is not None
        subject = self._subject(item)
        if media.kind == MediaObject.Kind.CLIP:
            copy = self._work / name
            done = blur_clip(
                path, copy, self._find(), self._export.number, subject=subject, progress=self._progress.share
            )
        else:
            copy = (self._work / name).with_suffix(".jpg")
            data, done = blur_picture(path.read_bytes(), self._find(), self._export.number, subject=subject)
            copy.write_bytes(data)
        return copy, _treatment(done, wanted=subject is not None)

    def _find(self) -> Detector:
        if self._detector is None:
            self._detector = Detector(import_string(settings.MODEL_PATH)("detector"), DetectorOptions(threads=1))
        return self._detector

    def _subject(self, item: Evidence) -> Subject | None:
        """Whom the case is about: the box that its observation or the picture names."""
        if self._export.sharp != Export.Sharp.SUBJECT:
            return None
        data = item.data if isinstance(item.data, dict) else {}
        media = item.media
        if "box" not in data and media is not None and isinstance(media.data, dict):
            data = media.data
        box = data.get("box")
        if not (isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box)):
            return None
        seconds = (self._export.case.opened_at - media.t).total_seconds() if media is not None else 0.0
        return Subject((float(box[0]), float(box[1]), float(box[2]), float(box[3])), max(0.0, seconds))

    def _note_gaps(self, media: MediaObject, data: dict[str, Any]) -> None:
        for gap in data.get("gaps", ()):
            code = media.device.code if media.device else ""
            self._made.gaps.append(Gap(device=code, begins=gap["t"], ends=gap["until"], reason=gap["gap"]))
        asked = data.get("asked")
        if asked and media.until and media.until.isoformat() < asked[1]:
            early = media.until + timedelta(seconds=1)
            if early.isoformat() < asked[1]:
                self._made.notes.append(f"{media.pk}: ends before {asked[1]}")

    def _seal(self, originals: Sequence[tuple[str, Path]]) -> None:
        """The originals in a ZIP of their own, encrypted; without a passphrase or key they stay here."""
        export = self._export
        if export.sharp == Export.Sharp.ALL or not originals:
            return
        if not (export.secret or export.recipient_key):
            self._made.notes.append("the originals stay with the issuer; their SHA-256 stand in this manifest")
            return
        self._progress.part(0.8, 0.1, _("Sealing the originals"))
        plain, sealed = self._work / "originals.zip", self._work / "originals.zip.age"
        with CanonicalZip(plain) as archive:
            for name, path in originals:
                archive.add(name, path)
        passphrase = keyring.ring().decrypt(bytes(export.secret), CONTEXT).decode() if export.secret else ""
        with sealed.open("wb") as sink:
            encrypt(chunks(plain), sink, passphrase=passphrase, recipient=export.recipient_key)
        plain.unlink()
        how = "originals, encrypted (age) to the recipient's passphrase or key"
        self._made.files.append(bundled("sealed/originals.zip.age", sealed, "sealed", treatment=how))


def _treatment(done: Blurred, *, wanted: bool) -> str:
    parts = [f"heads of the people found blurred by a program ({done.people} found)"]
    if done.subject:
        parts.append("the person of the case left sharp")
    elif wanted:
        parts.append("the person of the case was not found again and is blurred too")
    if done.sound:
        parts.append("sound left out")
    return "; ".join(parts)
