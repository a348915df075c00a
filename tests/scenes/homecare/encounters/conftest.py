import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def visiting(care: Any) -> Any:
    """Song is sent to Mei today, with a phone; see phone.py."""
    spec = importlib.util.spec_from_file_location("care_phone", Path(__file__).with_name("phone.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("care_phone") or importlib.util.module_from_spec(spec)
    if "care_phone" not in sys.modules:
        sys.modules["care_phone"] = module
        spec.loader.exec_module(module)
    return module.build(care)
