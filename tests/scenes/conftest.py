import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

WORLD = Path(__file__).parent.parent / "kernel" / "world.py"


@pytest.fixture
def stage(db: None) -> ModuleType:
    """The kernel's stories' district: `build()` makes it, `firing(world)` a firing in it."""
    if "world" not in sys.modules:
        spec = importlib.util.spec_from_file_location("world", WORLD)
        assert spec is not None and spec.loader is not None
        sys.modules["world"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["world"])
    return sys.modules["world"]


@pytest.fixture
def world(stage: ModuleType) -> object:
    """Alice guards Songshan, Bob Changjiang; Chen manages Songshan, Dan the alarm centre."""
    return stage.build()
