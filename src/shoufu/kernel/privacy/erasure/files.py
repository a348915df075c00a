"""Erasure in files beside the database: log lines, and files that an app keeps for a while."""

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from shoufu.kernel.privacy.erasure.patterns import MARK

CHUNK = 1 << 20


def logs() -> Iterator[Path]:
    folder = Path(settings.DATA_ROOT) / "logs"
    yield from sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()


def scrub_logs(wanted: str, *, write: bool) -> dict[str, int]:
    """Overwrite identifiers in log files; file → lines. Logs should name nobody: what is found here is a fault.

    In place and of the same length, because processes go on appending to these files. Packed ones are written anew.
    """
    if not wanted:
        return {}
    known = re.compile(wanted, re.IGNORECASE)
    found = {}
    for path in logs():
        count = _scrub_packed(path, known, write) if path.suffix == ".gz" else _scrub(path, known, write)
        if count:
            found[path.name] = count
    return found


def _scrub(path: Path, known: re.Pattern[str], write: bool) -> int:
    count, at = 0, 0
    with path.open("r+b" if write else "rb") as file:
        for line in file:
            text = line.decode("utf-8", "surrogateescape")
            masked = known.sub(lambda match: "x" * len(match[0].encode("utf-8", "surrogateescape")), text)
            if masked != text:
                count += 1
                if write:
                    os.pwrite(file.fileno(), masked.encode("utf-8", "surrogateescape"), at)
            at += len(line)
    return count


def _scrub_packed(path: Path, known: re.Pattern[str], write: bool) -> int:
    text = gzip.decompress(path.read_bytes()).decode("utf-8", "surrogateescape")
    masked, count = known.subn(MARK, text)
    if count and write:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(gzip.compress(masked.encode("utf-8", "surrogateescape")))
        os.replace(draft, path)
    return count
