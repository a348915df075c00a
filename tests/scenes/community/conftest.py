import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def homes(world: Any) -> Any:
    """Mei's and Lan's homes with doors and accounts; see homes.py."""
    spec = importlib.util.spec_from_file_location("community_homes", Path(__file__).with_name("homes.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("community_homes") or importlib.util.module_from_spec(spec)
    if "community_homes" not in sys.modules:
        sys.modules["community_homes"] = module
        spec.loader.exec_module(module)
    return module.build(world)
