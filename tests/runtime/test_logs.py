import logging
import sys
from io import StringIO

import pytest

from shoufu.runtime import logs


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_in_the_log_tells_no_local_variables(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold keys, and what people wrote."""
    monkeypatch.setenv("SHOUFU_LOG_FORMAT", form)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    try:
        logs.setup()
        _fail_with("Schlüssel-" + "4711")
    finally:
        root.handlers[:], root.level = before
    assert "ZeroDivisionError" in written.getvalue()
    assert "Schlüssel-4711" not in written.getvalue()


def _fail_with(secret: str) -> None:
    try:
        1 / len(secret[:0])
    except ZeroDivisionError:
        logging.getLogger("shoufu.test").exception("it broke")
