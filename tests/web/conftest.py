import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest


@cache
def _module() -> Any:
    """The module `district.py`, loaded when Django is set up."""
    spec = importlib.util.spec_from_file_location("web_district", Path(__file__).with_name("district.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["web_district"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def load_district() -> Callable[..., Any]:
    """Loads the small district; `pictures=True` stores camera pictures too."""
    return _module().load


@pytest.fixture
def district(db: None, load_district: Callable[..., Any]) -> Any:
    """The small district of `district.py`, without pictures."""
    return load_district(pictures=False)


@pytest.fixture
def sign_in(district: Any) -> Callable[[str], Any]:
    """A browser's session of one of the district's users."""
    from django.test import Client

    def made(name: str) -> Client:
        client = Client()
        client.force_login(district.users[name])
        return client

    return made
