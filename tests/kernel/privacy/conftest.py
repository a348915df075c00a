import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


def _people() -> Any:
    """The module `people`, loaded late: Django is not set up yet when this file is read."""
    spec = importlib.util.spec_from_file_location("people", Path(__file__).with_name("people.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("people") or importlib.util.module_from_spec(spec)
    if "people" not in sys.modules:
        sys.modules["people"] = module
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def story(world: Any) -> Any:
    """Mei, who is 80, and her daughter Lan; see people.py."""
    return _people().tell(world)
