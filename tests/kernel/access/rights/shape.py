from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FOREIGN = "FOREIGN-SECRET"
REFUSED = {400, 401, 403, 404, 405, 409, 422}
Body = Callable[["Side"], Any]


@dataclass
class Side:
    """One compound with one thing of each kind; `ids` by the names that addresses use for them. `under` has those that
    mean something else below an address ("homecare/fhir/"), `users` the accounts of those who have a role here by name.
    """

    tag: str
    ids: dict[str, Any] = field(default_factory=dict)
    under: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.ids[name]

    def value(self, name: str, address: str) -> Any:
        """What to put into an address (without its first slash) for an argument."""
        for prefix, ids in self.under.items():
            if address.startswith(prefix) and name in ids:
                return ids[name]
        assert name in self.ids, f"declare {name!r} of {address} in a side"
        return self.ids[name]


@dataclass(frozen=True)
class Row:
    """Which rights an operation needs (several words: any of them; a role's code: what is that person's own at home;
    "" = being signed in), a good body, and whether it is a list, one's own affair, or (`loose`) may also refuse because
    of the state the thing is in. `mine`: with this parameter it is the resident's own affair, and is tried so too.
    `batch`: it answers 200 and says of each line whether it was done (`"applied"`). `by_practice`: it asks besides
    for the practice of a nurse or doctor there, which an administrator with every right does not have."""

    right: str
    body: Body | None = None
    query: Body | None = None
    lists: bool = False
    own: bool = False
    loose: bool = False
    mine: bool = False
    batch: bool = False
    by_practice: bool = False

    def held(self, role: str, permissions: frozenset[str]) -> bool:
        """Whether who has the role at home must be served there."""
        words = self.right.split()
        return not words or any(word in permissions or word == role for word in words)


def reason(_side: Side) -> Any:
    return {"reason": "test"}


def version(_side: Side) -> Any:
    return {"version": 1}
