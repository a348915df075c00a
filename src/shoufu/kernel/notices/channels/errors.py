class NotSent(Exception):
    """It did not arrive this time; the reason is shown and it is tried again."""


class Gone(Exception):
    """The receiver does not exist any more; the address is removed."""
