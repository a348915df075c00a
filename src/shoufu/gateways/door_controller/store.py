"""The rule set on the disk and in memory: the newest good one, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shoufu.engines.doors import Gap, Rules, RuleSetError, apply_delta, hash_of, load

from .files import Files

NAME = "rules.bin"
log = structlog.get_logger("door")


class RuleStore:
    """Keeps one blob. A new one is put in place only after its signature, addressee and version were checked."""

    def __init__(self, files: Files, controller: str, keys: Sequence[bytes]) -> None:
        self._files = files
        self._controller = controller
        self._pinned = tuple(keys)
        self._blob = b""
        self.hash = ""
        self.rules: Rules | None = None
        self.refused = ""
        """Why the last set offered was refused; empty when it was taken."""

    @property
    def version(self) -> int:
        """Version held, 0 none."""
        return self.rules.version if self.rules else 0

    @property
    def keys(self) -> list[bytes]:
        """Public keys of the server trusted now: the pinned ones, and those that the rule set held announces."""
        announced = self.rules.settings.next_keys if self.rules else ()
        return [*self._pinned, *announced]

    def open(self) -> None:
        """Load what is on the disk; what cannot be used is left alone and counts as nothing."""
        blob = self._files.read(NAME)
        if not blob:
            return
        try:
            # The set announces keys itself, and may be signed by one that the set before it announced: it was checked
            # when it came, and stands in the controller's own folder.
            self._use(blob, self._trusted(blob))
        except RuleSetError as error:
            self.refused = str(error)
            log.error("rule set on the disk not usable", reason=str(error))

    def _trusted(self, blob: bytes) -> Rules:
        extra = self._files.read("keys.bin") or b""
        keys = [*self._pinned, *(extra[at : at + 32] for at in range(0, len(extra), 32))]
        return load(blob, keys, self._controller)

    def full(self, blob: bytes) -> Rules:
        """Take a whole set; RuleSetError when it is not good, and the one held stays."""
        try:
            rules = load(blob, self.keys, self._controller, self.version if self.rules else None)
        except RuleSetError as error:
            self.refused = str(error)
            raise
        self._files.replace("keys.bin", b"".join(self.keys[len(self._pinned) :]) + b"".join(rules.settings.next_keys))
        self._files.replace(NAME, blob)
        self._use(blob, rules)
        self.refused = ""
        return rules

    def delta(self, change: bytes) -> Rules:
        """Take a delta; Gap when it does not follow on."""
        if not self._blob:
            raise Gap("There is no rule set for the delta to follow on.")
        return self.full(apply_delta(self._blob, change))

    def _use(self, blob: bytes, rules: Rules) -> None:
        self._blob = blob
        self.rules = rules
        self.hash = hash_of(blob)
