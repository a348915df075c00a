"""What Vite built: the manifest of bundles and the sprite of icons."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.templatetags.static import static

BUILT = Path(__file__).parent / "static" / "built"
MANIFEST = BUILT / ".vite" / "manifest.json"
ICONS = BUILT / "icons.json"
FALLBACK = "point"


@dataclass(frozen=True)
class Bundle:
    """The addresses of one island: its module, its style sheets, and the modules that it imports."""

    module: str
    styles: tuple[str, ...]
    imports: tuple[str, ...]


@cache
def _read(path: Path, changed: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if changed else {}


def _changed(path: Path) -> int:
    """When a file was built, in ns since 1970; 0 where it was not (pages then read without islands and icons)."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def bundle(name: str) -> Bundle | None:
    """The bundle of `frontend/src/<name>.ts`; None when the front end has not been built."""
    return _bundle(name, _changed(MANIFEST))


@cache
def _bundle(name: str, changed: int) -> Bundle | None:
    manifest = _read(MANIFEST, changed)
    entry = manifest.get(f"src/{name}.ts")
    if entry is None:
        return None
    styles: dict[str, None] = {}
    imports: dict[str, None] = {}
    _collect(manifest, entry, styles, imports)
    return Bundle(_url(entry["file"]), tuple(styles), tuple(imports))


def _collect(manifest: Any, entry: Any, styles: dict[str, None], imports: dict[str, None]) -> None:
    for key in entry.get("imports", ()):
        imported = manifest[key]
        imports.setdefault(_url(imported["file"]))
        _collect(manifest, imported, styles, imports)
    for sheet in entry.get("css", ()):
        styles.setdefault(_url(sheet))


def _url(file: str) -> str:
    return static(f"built/{file}")


def icon(name: str) -> str:
    """The address of a symbol in the sprite; an unknown name gets a plain dot."""
    return _icon(name, _changed(ICONS))


@cache
def _icon(name: str, changed: int) -> str:
    index = _read(ICONS, changed)
    if not index:
        return ""
    known = name if name in index["names"] else FALLBACK
    return f"{_url(index['file'])}#{known}"
