from shoufu.kernel.base.actor import Actor
from shoufu.kernel.evidence import keys


def load(actor: Actor) -> None:
    """Make the keys that sign evidence, so that the first export does not wait for them."""
    keys.signing_key()
    keys.clock()
