import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("world", Path(__file__).with_name("world.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["world"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def stage(db: None) -> ModuleType:
    """The module `world`: `build()` makes the small district of the stories, `firing(world)` a firing in it."""
    return sys.modules.get("world") or _load()


@pytest.fixture
def world(stage: ModuleType) -> object:
    return stage.build()
