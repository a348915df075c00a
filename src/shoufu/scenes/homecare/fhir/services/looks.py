from collections.abc import Iterable
from dataclasses import dataclass, field

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.kept import Kept


@dataclass
class Seen:
    """Whose resources were seen, and how many of which type."""

    people: dict[int, tuple[int | None, dict[str, int]]] = field(default_factory=dict)

    def add(self, one: Kept) -> None:
        if one.person is None:
            return
        _place, types = self.people.setdefault(one.person, (one.place, {}))
        types[one.type] = types.get(one.type, 0) + 1

    def acts(self, action: str, reason: str) -> list[Act]:
        """One line for each person, who can read it."""
        return [
            Act(action, place=place, subject=person, reason=reason, data={"types": types}, object_type="homecare_fhir")
            for person, (place, types) in self.people.items()
        ]


def looked(actor: Actor, found: Iterable[Kept], reason: str) -> None:
    """Record a look at these resources."""
    seen = Seen()
    for one in found:
        seen.add(one)
    record_many(actor, seen.acts("homecare.fhir.look", reason))
