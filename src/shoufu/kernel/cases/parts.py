from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case


@dataclass(frozen=True)
class PanelPart:
    """What another app adds to the panel of a case: a template, which reads its `context` as `part`."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@cache
def _modules() -> tuple[Any, ...]:
    names = [f"{config.name}.case_panel" for config in apps.get_app_configs() if config.name.startswith("shoufu.")]
    return tuple(import_module(name) for name in names if find_spec(name))


def panel_parts(request: PageRequest, case: Case) -> list[PanelPart]:
    """What the apps with a `case_panel.py` show for this case: its `part(request, case)` gives a PanelPart or None."""
    found = (module.part(request, case) for module in _modules())
    return [part for part in found if part is not None]
