import hashlib
import logging
import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path

from django.utils import timezone, translation
from django.utils.translation import gettext as _

import shoufu
from shoufu.engines.blur import BlurError
from shoufu.engines.evidence import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    TIMESTAMP,
    CanonicalZip,
    Manifest,
    canonical,
    sign,
    timestamp,
    verify,
)
from shoufu.engines.vision import DetectorError
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.evidence import keys
from shoufu.kernel.evidence.making.contents import case_data, data_files, index_page
from shoufu.kernel.evidence.making.pictures import Copier, Made
from shoufu.kernel.evidence.models import Export
from shoufu.kernel.evidence.services import folder
from shoufu.kernel.media.recordings import cut

log = logging.getLogger(__name__)
REPORT_SECONDS = 0.5
TIME_SOURCE = "local: this installation's own clock and key; it proves order and integrity, not an outside time"


class Progress:
    """Keeps the row of an export up to date, not more than twice a second."""

    def __init__(self, export: Export) -> None:
        self._rows, self._told = Export.objects.filter(pk=export.pk), 0.0
        self.base, self.span = 0.0, 1.0

    def part(self, base: float, span: float, step: str) -> None:
        self.base, self.span, self._told = base, span, time.monotonic()
        self._rows.update(progress=base, step=step[:80])

    def share(self, done: float) -> None:
        if time.monotonic() - self._told >= REPORT_SECONDS:
            self._told = time.monotonic()
            self._rows.update(progress=min(0.99, self.base + self.span * done))


def run(export_id: int) -> None:
    """Make the bundle; progress, result or error land in the row. One that is done or deleted is left alone."""
    export = Export.objects.select_related("case__place", "place", "user").filter(pk=export_id).first()
    if export is None or export.state not in (Export.State.QUEUED, Export.State.RUNNING):
        return
    Export.objects.filter(pk=export_id).update(state=Export.State.RUNNING, progress=0.0, error="")
    try:
        with translation.override(export.language):
            _make(export)
    except (Problem, BlurError, DetectorError, ValueError) as error:
        _fail(export, str(error))
    except Exception as error:
        _fail(export, f"{type(error).__name__}: {error}")
        raise


def _fail(export: Export, text: str) -> None:
    Export.objects.filter(pk=export.pk).update(state=Export.State.FAILED, error=text, secret=None, step="")
    record(SYSTEM, Act("evidence.failed", export, export.place_id, data={"error": text[:200]}))


def _asker(export: Export) -> Actor:
    return actor_for_user(export.user) if export.user is not None else SYSTEM


def _cut_recordings(export: Export, progress: Progress) -> None:
    """Clips of the chosen cameras join the case's evidence, so that what was handed over is also kept here."""
    if not export.cameras or export.since is None or export.until is None:
        return
    chosen = list(export.media)
    for number, device_id in enumerate(export.cameras):
        progress.part(0.2 * number / len(export.cameras), 0.0, _("Cutting recordings"))
        made = cut(_asker(export), device_id, export.since, export.until, reason=export.number)
        attach_many([(export.case, Exhibit("clip", made.t, media=made.pk))])
        chosen.append(str(made.pk))
    if export.media or not export.case.evidence.filter(media__isnull=False).exists():
        export.media = chosen


def _make(export: Export) -> None:
    progress = Progress(export)
    _cut_recordings(export, progress)
    target = folder()
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="making-", dir=target) as name:
        work = Path(name)
        made = Copier(export, work, progress).run()
        progress.part(0.9, 0.05, _("Signing"))
        bundle = work / "bundle.zip"
        now = timezone.now()
        fingerprint = _write(export, bundle, made, now)
        report = verify(bundle, fingerprint)
        if not report.ok:
            raise ValueError(f"the bundle does not verify: {report.faults[0].text}")
        with bundle.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        key = f"{export.number}.zip"
        shutil.move(bundle, target / key)
        (target / key).chmod(0o600)
    _finish(export, key, sha256, fingerprint, report.files, now)


def _finish(export: Export, key: str, sha256: str, fingerprint: str, files: int, now: datetime) -> None:
    size = (folder() / key).stat().st_size
    Export.objects.filter(pk=export.pk).update(
        state=Export.State.DONE,
        progress=1.0,
        step="",
        key=key,
        size=size,
        sha256=sha256,
        signed_by=fingerprint,
        files=files,
        made_at=now,
        media=export.media,
        secret=None,
    )
    data = {"number": export.number, "sha256": sha256, "size": size, "key": fingerprint[:16]}
    record(SYSTEM, Act("evidence.made", export, export.place_id, data=data))


def _write(export: Export, bundle: Path, made: Made, now: datetime) -> str:
    """Data files and the page, then manifest, stamp and signature over them; the fingerprint that signs."""
    fingerprint = keys.own_fingerprint()
    files = [*data_files(export, made), *made.files]
    files.insert(0, index_page(export, made, files, fingerprint, now))
    manifest = canonical(
        Manifest(
            format=FORMAT,
            export=export.number,
            software=f"shoufu {shoufu.__version__}",
            made_at=now.isoformat(),
            expires_at=export.expires_at.isoformat(),
            case=case_data(export.case),
            exporter=export.asked_by,
            recipient=export.recipient,
            reason=export.reason,
            mark=export.number,
            key=fingerprint,
            time_source=TIME_SOURCE,
            files=[file.entry for file in files],
            gaps=made.gaps,
            notes=made.notes,
        )
    )
    clock, certificate = keys.clock()
    token = timestamp.stamp(manifest, clock, certificate, at=now, serial=export.pk)
    with CanonicalZip(bundle) as archive:
        archive.add(MANIFEST, manifest)
        archive.add(TIMESTAMP, token)
        archive.add(SIGNATURE, sign(keys.signing_key(), manifest, token))
        for file in files:
            archive.add(file.entry.path, file.source)
    return fingerprint
