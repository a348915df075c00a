from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.scenes.homecare.quality.models import Step
from shoufu.scenes.homecare.register.services.common import opened, sealed
from shoufu.scenes.homecare.visits.models import Visit

MOST_WORDS = 2000
WORDS = "homecare.quality.words"


def required(**texts: str) -> dict[str, str]:
    """Texts that must not be empty, trimmed; Invalid names those that are."""
    empty = [name for name, text in texts.items() if not text.strip()]
    if empty:
        raise Invalid(*(FieldError(name, _("Must not be empty.")) for name in empty))
    return {name: kept(name, text) for name, text in texts.items()}


def kept(field: str, text: str) -> str:
    """A text as it is kept; Invalid where it is too long."""
    if len(text) > MOST_WORDS:
        raise Invalid.one(field, _("At most %(most)s characters.") % {"most": MOST_WORDS})
    return text.strip()


def one_of(field: str, value: str, choices: Iterable[Any]) -> str:
    """A code of a list; Invalid says which there are."""
    known = [str(one) for one in choices]
    if value not in known:
        raise Invalid.one(field, _("Use one of: %(kinds)s.") % {"kinds": ", ".join(known)})
    return value


def locked_away(person_id: int, text: str, field: str = WORDS) -> bytes | None:
    """A text encrypted with a person's key; None for an empty one."""
    return sealed(person_id, text, field)


def needed(person_id: int, text: str, field: str = WORDS) -> bytes:
    """The same for a text that is not empty."""
    found = sealed(person_id, text, field)
    if found is None:
        raise Invalid.one("words", _("Must not be empty."))
    return found


class Reader:
    """Opens texts that were encrypted with one person's key."""

    def __init__(self, person_id: int) -> None:
        self._person = person_id
        self._key = subjects.known_keys([person_id]).get(person_id)

    def __call__(self, kept: bytes | memoryview | None, field: str = WORDS) -> str:
        return opened(self._key, kept, self._person, field) or ""


def step(actor: Actor, kind: str, person_id: int, words: str = "", **about: Any) -> Step:
    """A line in the trail of what is named (`complaint=…`)."""
    text = locked_away(person_id, words)
    return Step.objects.create(at=timezone.now(), kind=kind, user_id=actor.user_id, words=text, **about)


def trail(rows: Iterable[Step], read: Reader) -> list[Mapping[str, Any]]:
    """The lines as pages show them; who is told by the name that the account shows."""
    return [
        {
            "at": row.at,
            "kind": row.kind,
            "who": row.user.label if row.user is not None else "",
            "words": read(row.words),
        }
        for row in rows
    ]


def not_the_same(actor: Actor, *users: int | None) -> None:
    """Conflict where the actor is one of these: two people are needed."""
    if actor.user_id is not None and actor.user_id in users:
        raise Conflict(_("Somebody else has to do this: two people are needed."), reason="four_eyes")


def not_at_the_visit(actor: Actor, visit: Visit | None) -> None:
    """Conflict where the actor gave the care that this is about."""
    if visit is None or actor.user_id is None:
        return
    if visit.stops.filter(practitioner__person__user=actor.user_id).exists():
        raise Conflict(_("You were at this visit yourself; somebody else has to answer."), reason="four_eyes")


def permitted(actor: Actor, permission: str, path: str) -> None:
    if not actor.may(permission, path):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": permission})
