"""A real Chromium for tests that act as people do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shoufu.runtime.bench.interface import browser
from shoufu.web import built

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here; set CHROMIUM to its path"),
    pytest.mark.skipif(not built.MANIFEST.exists(), reason="the front end is not built; run bin/shoufu build"),
]


@contextmanager
def started() -> Iterator[Any]:
    """One that runs while the block does; Django's rows may be read beside it, whose loop runs in the same thread."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with browser.chromium("--disable-gpu") as found:
            yield found
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
