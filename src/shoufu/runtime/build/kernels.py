"""The loops of the dispatch engine, compiled beforehand: else the first plan on a machine waits seconds for them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from shoufu.runtime.errors import Problem

ENGINE = Path(__file__).resolve().parents[2] / "engines" / "dispatch"
COMPILE = "from shoufu.engines.dispatch import warm_up; warm_up()"


def _mark() -> Path:
    """A file beside what Numba keeps, so that both are there or neither."""
    total = hashlib.sha256(f"{sys.version} {metadata.version('numba')}".encode())
    for source in sorted(ENGINE.glob("*.py")):
        total.update(source.read_bytes())
    return ENGINE / "__pycache__" / f"compiled-{total.hexdigest()[:32]}"


def current() -> bool:
    """Whether the loops are compiled as their sources are now."""
    return _mark().exists()


def build() -> None:
    """Compile them; Problem with the compiler's last words where that fails."""
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"The dispatch engine was not compiled: {done.stderr.strip()[-500:]}")
    mark = _mark()
    mark.parent.mkdir(exist_ok=True)
    for old in mark.parent.glob("compiled-*"):
        old.unlink()
    mark.touch()
