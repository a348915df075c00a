import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("booking_club", Path(__file__).with_name("club.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["booking_club"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clubs() -> ModuleType:
    """The module `club`: `build(world)` makes two courts that can be booked."""
    return sys.modules.get("booking_club") or _load()


@pytest.fixture
def club(world: Any, clubs: ModuleType) -> Any:
    return clubs.build(world)


@pytest.fixture
def at(clubs: ModuleType) -> Any:
    """An hour of a coming day."""
    return clubs.tomorrow
