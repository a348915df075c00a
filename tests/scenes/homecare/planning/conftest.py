import importlib.util
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def board(care: Any) -> Any:
    """A Monday to plan, with Song and Bai, and four patients; see story.py."""
    spec = importlib.util.spec_from_file_location("board_story", Path(__file__).with_name("story.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("board_story") or importlib.util.module_from_spec(spec)
    if "board_story" not in sys.modules:
        sys.modules["board_story"] = module
        spec.loader.exec_module(module)
    return module.build(care)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time that services see."""
    from django.utils import timezone

    def put(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return put
