from collections.abc import Sequence
from uuid import UUID

import msgspec

from shoufu.kernel.base.errors import Invalid, Problem
from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.wire import Fault, field_errors
from shoufu.kernel.observations.writer import STORED, Outcome


class ItemResult(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one item: status "stored", "duplicate" (stored before) or "refused", then with the reason."""

    index: int
    status: str
    id: UUID | None = None
    reason: str | None = None
    field: str | None = None
    message: str | None = None


class Answer(msgspec.Struct):
    """The body of an answer: counts, and one entry an item, in order."""

    stored: int
    duplicates: int
    refused: int
    items: list[ItemResult]


def bearer(header: bytes | None) -> str:
    """The secret in `Authorization: Bearer …`; Problem 401 where there is none."""
    scheme, _, secret = (header or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not secret.strip():
        raise unauthorised("Send the device's secret in the header Authorization: Bearer <secret>.")
    return secret.strip().decode("latin-1")


def unauthorised(detail: str) -> Problem:
    """The refusal of a missing or wrong credential (401)."""
    return Problem("Not signed in", detail, status=401, kind="unauthorised")


def results(rows: Sequence[Row | Fault], outcomes: Sequence[Outcome]) -> list[ItemResult]:
    """One result an item: faults found before the database, and `outcomes` of the rows that reached it, in order."""
    if len(rows) == len(outcomes) == outcomes.count(STORED):
        return [ItemResult(index, STORED, row.out.id) for index, row in enumerate(rows)]  # type: ignore[union-attr]
    told = iter(outcomes)
    found = []
    for index, row in enumerate(rows):
        if type(row) is Row:
            outcome = next(told)
            if type(outcome) is str:
                found.append(ItemResult(index, outcome, row.out.id))
                continue
            row = outcome  # type: ignore[assignment]
        assert isinstance(row, Fault)
        found.append(ItemResult(index, "refused", None, row.reason, row.field, row.message))
    return found


def answer(items: list[ItemResult], many: bool) -> tuple[int, bytes]:
    """Status and JSON body: 200 when all are stored, 207 when some are; Problem 422 when none is."""
    stored = sum([item.status == STORED for item in items])
    if stored == len(items):
        return 200, msgspec.json.encode(Answer(stored, 0, 0, items))
    duplicates = sum(item.status == "duplicate" for item in items)
    refused = sum(item.status == "refused" for item in items)
    if refused == len(items):
        raise refusal(items, many)
    body = msgspec.json.encode(Answer(len(items) - duplicates - refused, duplicates, refused, items))
    return (207 if refused else 200), body


def refusal(items: list[ItemResult], many: bool) -> Problem:
    """The problem (422) of a body in which every item was refused."""
    faults = [(one.index, Fault(one.reason or "", one.field or "/", one.message or "")) for one in items]
    return Invalid(*field_errors(faults, many), title="No observation was accepted")
