import re
from dataclasses import dataclass

# [30374] 2026/11/23 21:44:30 [ERR] 127.0.0.1:57229 - mid:29 - "door-1" - Publish Violation - Subject "obs.door-2"
_line = re.compile(rb'mid:\d+ - "([^"]{1,200})" - (Publish|Subscription) Violation - .*?Subject "([^"]{1,200})"').search


@dataclass(frozen=True)
class Violation:
    """A device that wanted to use a topic which is not its own."""

    device: str
    action: str
    topic: str

    @property
    def message(self) -> str:
        """What is wrong, for the device's `err/` topic."""
        return f"{self.action} on {self.topic!r} is not allowed: use obs/, ack/, cmd/ or err/ and your own code."


def read(line: bytes) -> Violation | None:
    """The violation that a line of the broker's log tells of, if any.

    MQTT 3.1.1 has no way to refuse one publish: the broker answers PUBACK and drops the message. Its log is the one
    place that knows, so the refusal is read from there and sent to the device's `err/` topic.
    """
    found = _line(line)
    if found is None:
        return None
    client, action, subject = (part.decode(errors="replace") for part in found.groups())
    verb = "subscribe" if action == "Subscription" else "publish"
    return Violation(client.partition("/")[0], verb, subject.replace(".", "/"))
