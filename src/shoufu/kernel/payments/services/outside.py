"""What callers from outside say of an order or refund (a page, the API), kept apart from what apps of the house say."""

from hashlib import sha256

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.payments.services.common import kept


def key_of(actor: Actor, key: str) -> str:
    """A caller's key as it is stored: theirs alone, and none by which an app knows its own orders and refunds."""
    return f"asked:{sha256(f'{actor.kind}:{actor.id}:{key}'.encode()).hexdigest()[:58]}" if key else ""


def source_of(source: str) -> str:
    """What a caller says that an order is for; Invalid where only an app says so."""
    begin = next((one for one in kept() if source.startswith(one)), None)
    if begin is not None:
        raise Invalid.one(
            "source",
            _("“%(begin)s…” is kept for the app whose orders these are; say something else.") % {"begin": begin},
        )
    return source
