from __future__ import annotations

from shoufu.kernel.rules.evaluation.patterns.base import Machine
from shoufu.kernel.rules.evaluation.reasons import why
from shoufu.kernel.rules.evaluation.rows import Firing, Row


class MatchMachine(Machine[None]):
    """Each matching row fires."""

    def on_row(self, t: int, row: Row) -> None:
        if row.place_id not in self.scope or not self.test(t, row):
            return
        if not self.scheduled or self.rule.is_open(t, row.place_id):
            self.emit(t, self.key(row), row, [(t, row.id)])

    def on_late(self, t: int, row: Row) -> Firing | None:
        """The firing of a row behind the watermark; it neither meets nor starts a cool-down."""
        rule = self.rule
        if rule.uses_recent or row.place_id not in rule.scope:
            return None
        if not (self.test(t, row) and rule.is_open(t, row.place_id)):
            return None
        return Firing(
            version=rule.version,
            key=rule.key_text(row),
            t=t,
            place=row.place_id,
            device=row.device_id,
            observations=(row.id,),
            why=why(rule, t, row, [t]),
            late=True,
        )
