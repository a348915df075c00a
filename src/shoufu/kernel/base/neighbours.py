from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Estate(Protocol):
    """A compound of the drill `neighbours`: whatever an app seeds in it carries its mark."""

    @property
    def place(self) -> Any:
        """The compound, a `places.Place`."""

    def mark(self) -> str:
        """A new text that nobody else has; it holds the estate's mark. At most twelve characters."""

    def row(self, model: Any) -> Any:
        """A row of the model in this estate, made if there is none yet; `model` is a class or "app_label.Model"."""


@dataclass(frozen=True)
class Neighbours:
    """What an app tells the drill that tries every endpoint with the ids of a neighbour.

    An app needs none of it where its rows can be made from their fields alone and its addresses hold ids. It stands in
    `<app>/drill.py` as `neighbours = Neighbours(…)`. `seed` makes rows of which the fields do not say what is right
    in them. `values` gives what to try for a parameter or form field that is no id, by its name. `shared` are models
    of the whole installation, whose rows are of no place and nobody's. `texts` are fields ("Import.kind") whose text
    is not free, with one that they take.
    """

    seed: Callable[[Estate], None] | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
