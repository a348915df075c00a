from collections.abc import Iterable

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.kept import Kept


def looked(actor: Actor, found: Iterable[Kept], reason: str, action: str = "homecare.fhir.look") -> None:
    """Record a look at these resources: one line for each person whom they are about, who can read it."""
    people: dict[int, tuple[int | None, dict[str, int]]] = {}
    for one in found:
        if one.person is not None:
            _place, types = people.setdefault(one.person, (one.place, {}))
            types[one.type] = types.get(one.type, 0) + 1
    acts = [
        Act(action, place=place, subject=person, reason=reason, data={"types": types}, object_type="homecare_fhir")
        for person, (place, types) in people.items()
    ]
    record_many(actor, acts)
