"""Names of a package that are loaded when they are first used (PEP 562).

Compiled code, models' runtimes and codecs take tens of megabytes in every process that imports them; most need one
small part of an engine only.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def later(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A package's `__getattr__`: `homes` has for each module of it the names that it gives."""
    modules = {name: module for module, names in homes.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return __getattr__
