import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def care(world: Any) -> Any:
    """An institution in Songshan with its people, services and patients; see story.py."""
    spec = importlib.util.spec_from_file_location("care_story", Path(__file__).with_name("story.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("care_story") or importlib.util.module_from_spec(spec)
    if "care_story" not in sys.modules:
        sys.modules["care_story"] = module
        spec.loader.exec_module(module)
    return module.build(world)
