from __future__ import annotations

from shoufu.kernel.rules.evaluation.patterns.base import Machine
from shoufu.kernel.rules.evaluation.reasons import atoms
from shoufu.kernel.rules.evaluation.rows import Firing, Row, key_text


class MatchMachine(Machine[None]):
    """Each matching row fires."""

    def on_row(self, t: int, row: Row) -> None:
        rule = self.rule
        if row.place_id in rule.scope and self.test(t, row) and rule.is_open(t, row.place_id):
            self.emit(t, self.key(row), row, (row.id,), lambda: atoms(rule, "/where", t, row))

    def on_late(self, t: int, row: Row) -> Firing | None:
        """The firing of a row behind the watermark; it neither meets nor starts a cool-down."""
        rule = self.rule
        if rule.uses_recent or row.place_id not in rule.scope:
            return None
        if not (self.test(t, row) and rule.is_open(t, row.place_id)):
            return None
        return Firing(
            version=rule.version,
            key=key_text(self.key(row), rule.spec.key),
            t=t,
            place=row.place_id,
            device=row.device_id,
            observations=(row.id,),
            why=atoms(rule, "/where", t, row),
            late=True,
        )
