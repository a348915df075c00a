from __future__ import annotations

from shoufu.kernel.rules.evaluation.patterns.base import Machine
from shoufu.kernel.rules.evaluation.reasons import why
from shoufu.kernel.rules.evaluation.rows import Firing, Key, Row

MOST_HEARD = 10_000
"""Keys remembered for the cool-down of late rows; bounded by number, as time says nothing about late rows."""


class MatchMachine(Machine[None]):
    """Each matching row fires."""

    def on_match(self, t: int, row: Row) -> None:
        if not self.scheduled or self.rule.is_open(t, row.place_id):
            key = self.key(row)
            self.emit(t, key, row, [(t, row.id)])
            if self.cooldown and self.fired.get(key) == t:
                self._hear(key, t)

    def on_late(self, t: int, row: Row) -> Firing | None:
        """The firing of a row behind the watermark. It rests if another of its key lies within the cool-down."""
        rule = self.rule
        if rule.uses_recent or row.place_id not in rule.scope:
            return None
        if not (self.test(t, row) and rule.is_open(t, row.place_id)):
            return None
        key = self.key(row)
        last = self.heard.get(key)
        suppressed = last is not None and abs(t - last) < self.cooldown
        if self.cooldown and not suppressed:
            self._hear(key, t)
        return Firing(
            version=rule.version,
            key=rule.key_text(row),
            t=t,
            place=row.place_id,
            device=row.device_id,
            observations=(row.id,),
            why=why(rule, t, row, [t]),
            suppressed=suppressed,
            late=True,
        )

    def _hear(self, key: Key, t: int) -> None:
        """Remember the last firing that was not suppressed, for the late rows of its key."""
        self.heard.pop(key, None)
        self.heard[key] = t
        if len(self.heard) > MOST_HEARD:
            del self.heard[next(iter(self.heard))]
