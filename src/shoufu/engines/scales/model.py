from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """An answer that can be chosen: its points, and its wording in Chinese and English."""

    points: int
    text: str
    text_en: str


@dataclass(frozen=True)
class Item:
    """A question. `only` is "female" or "male" where it is asked of one sex only, else empty."""

    code: str
    text: str
    text_en: str
    options: tuple[Option, ...]
    only: str = ""

    @property
    def points(self) -> frozenset[int]:
        return frozenset(option.points for option in self.options)


@dataclass(frozen=True)
class Band:
    """What a sum of at least `lowest` (and below the next band) means."""

    lowest: int
    code: str
    text: str
    text_en: str


@dataclass(frozen=True)
class Group:
    """A sub-scale: the codes of its items; those in `reverse` count 6 − points."""

    code: str
    text: str
    text_en: str
    items: tuple[str, ...]
    reverse: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scale:
    """One version of a questionnaire; `citation` says where scoring and bands come from."""

    code: str
    version: int
    name: str
    name_en: str
    citation: str
    items: tuple[Item, ...]
    bands: tuple[Band, ...] = ()
    groups: tuple[Group, ...] = ()

    def asked(self, sex: str = "") -> tuple[Item, ...]:
        """The items for a person; those of the other sex are left out, and where it is not said those of both."""
        return tuple(item for item in self.items if not item.only or item.only == sex)


@dataclass
class WrongAnswer(ValueError):
    """An answer that the scale does not have: to which item, and which points it takes."""

    item: str
    allowed: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.allowed:
            return f"{self.item}: there is no such item"
        return f"{self.item}: use one of {', '.join(map(str, self.allowed))}"
