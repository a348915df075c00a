import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bookable_story", Path(__file__).with_name("bookable.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bookable_story"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bookable(care: Any) -> Any:
    """The story of `care`, with Song on duty, Mei assessed and the service open for booking; see bookable.py."""
    return (sys.modules.get("bookable_story") or _load()).build(care)
