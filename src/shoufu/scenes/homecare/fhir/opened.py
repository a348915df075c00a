"""What a request opens: whose resources, so that each look is recorded, and no more of them than a request may."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act
from shoufu.scenes.homecare.fhir import kinds
from shoufu.scenes.homecare.fhir.faults import refused
from shoufu.scenes.homecare.fhir.kept import Kept

MOST_TRIED, MOST_TOGETHER = 20_000, 100_000
"""How many resources one search opens at most, with what it includes; and all searches of a request together."""


@dataclass
class Seen:
    """Whose resources were seen, where, and how many of which type.

    `others`, by place: those about people who are no patients here. Only auditors read that line.
    """

    people: dict[int, tuple[int | None, dict[str, int]]] = field(default_factory=dict)
    others: dict[int | None, dict[str, int]] = field(default_factory=dict)

    def add(self, one: Kept) -> None:
        if one.person is not None:
            _place, types = self.people.setdefault(one.person, (one.place, {}))
        elif one.row is not None and one.type in kinds.of_patients():
            types = self.others.setdefault(one.place, {})
        else:
            return
        types[one.type] = types.get(one.type, 0) + 1

    def acts(self, action: str, reason: str) -> list[Act]:
        """One line for each person, who can read it."""
        lines = [_line(action, reason, place, types, person) for person, (place, types) in self.people.items()]
        return lines + [_line(action, reason, place, types) for place, types in self.others.items()]


def _line(action: str, reason: str, place: int | None, types: dict[str, int], person: int | None = None) -> Act:
    return Act(action, place=place, subject=person, reason=reason, data={"types": types}, object_type="homecare_fhir")


@dataclass
class Opened:
    """The account of one request. What it gave is `shown`; what it only opened, to count or to compare, is `tried`."""

    shown: Seen = field(default_factory=Seen)
    tried: Seen = field(default_factory=Seen)
    here: int = 0
    together: int = 0

    def begin(self) -> None:
        """Another search begins."""
        self.here = 0

    def show(self, found: Sequence[Kept]) -> None:
        """These are given to who asks."""
        for one in found:
            self.shown.add(one)

    def open(self, found: Sequence[Kept]) -> None:
        """These were opened; 422 once they are too many, with what was opened kept in the account."""
        for one in found:
            self.tried.add(one)
        self.here += len(found)
        self.together += len(found)
        if self.here > MOST_TRIED or self.together > MOST_TOGETHER:
            most = MOST_TRIED if self.here > MOST_TRIED else MOST_TOGETHER
            said = _("This search would open more than %(most)s resources: narrow it, such as by patient.")
            raise refused(422, said % {"most": most}, code="too-costly")

    def acts(self, reason: str) -> list[Act]:
        """A look for everybody of whom something was given, a search for the others of whom something was opened."""
        rest = Seen(
            {person: line for person, line in self.tried.people.items() if person not in self.shown.people},
            {place: types for place, types in self.tried.others.items() if place not in self.shown.others},
        )
        return self.shown.acts("homecare.fhir.look", reason) + rest.acts("homecare.fhir.search", reason)
