from __future__ import annotations
from collections.abc import Callable, Mapping
from typing import Any
from shoufu.engines.cel.check import Checked


class Fast:
    def __init__(self, facts: Checked, careful: Callable[[Mapping[str, object]], object]) -> None:
        self.careful = careful

    def of_activation(self) -> Callable[[Mapping[str, object]], object]:
        return self.careful

    def of_arguments(self, names: tuple[str, ...]) -> Callable[..., object]:
        careful = self.careful
        return lambda *values: careful(dict(zip(names, values, strict=True)))
