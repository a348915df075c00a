from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import Scope
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place

KINDS = (Place.Kind.DISTRICT, Place.Kind.BLOCK, Place.Kind.COMPOUND, Place.Kind.BUILDING)


@dataclass(frozen=True)
class Choice:
    """A place that the scope can be switched to; `depth` counts from the top of what the actor sees."""

    place: Place
    depth: int
    url: str
    current: bool


def with_place(url: str, place_id: int) -> str:
    """The same page about another place; the page number of a list starts anew."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("place", "page")]
    return urlunsplit(parts._replace(query=urlencode([*kept, ("place", place_id)])))


def choices(actor: Actor, scope: Scope, url: str) -> list[Choice]:
    """Every place down to buildings that the actor sees, in tree order (one query)."""
    found: list[Choice] = []
    stack = [(node, 0) for node in reversed(places.tree(actor, kinds=KINDS))]
    while stack:
        node, depth = stack.pop()
        place = node.place
        found.append(Choice(place, depth, with_place(url, place.pk), place.pk == scope.id))
        stack.extend((child, depth + 1) for child in reversed(node.children))
    return found
