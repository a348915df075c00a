from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction

from shoufu.kernel.audit import signing
from shoufu.kernel.audit.chain import CANONICAL, GENESIS, Root, link_hash, parse
from shoufu.kernel.audit.models import AuditRoot
from shoufu.kernel.audit.sequencer import as_root

MAXIMUM_FINDINGS = 1000

CHAIN = f"""
    select l.sequence, l.entry, encode(l.hash, 'hex'), e.xid, {CANONICAL}
    from audit_auditlink l left join audit_auditentry e on e.id = l.entry
    order by l.sequence
"""
# What stands before the end of the chain must be linked: the sequencer passes nothing over.
UNLINKED = """
    select e.id from audit_auditentry e left join audit_auditlink l on l.entry = e.id
    where l.entry is null and (e.xid, e.id) <= (%s, %s) order by e.id
"""
PENDING = """
    select count(*) from audit_auditentry e left join audit_auditlink l on l.entry = e.id
    where l.entry is null and (e.xid, e.id) > (%s, %s)
"""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written: what (`kind`), where in the chain, which entry, and in words."""

    kind: str
    sequence: int | None
    entry: int | None
    text: str


@dataclass
class Report:
    """The outcome of a verification: whole when nothing was found. `pending` entries wait for the sequencer."""

    entries: int = 0
    roots: int = 0
    pending: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.findings

    def add(self, kind: str, sequence: int | None, entry: int | None, text: str) -> None:
        if len(self.findings) < MAXIMUM_FINDINGS:
            self.findings.append(Finding(kind, sequence, entry, text))


@dataclass(frozen=True)
class _Row:
    sequence: int
    entry: int
    hash: bytes
    order: tuple[int, int] | None
    line: bytes


def verify(roots_file: Path | None = None, keys: dict[str, Ed25519PublicKey] | None = None) -> Report:
    """Prove the audit log whole, or name what was changed, removed, inserted, reordered, cut off or rewritten.

    One pass over the chain in one snapshot, constant memory beside the roots. `roots_file` and `keys` should come from
    another machine: who can write this database and this data directory together could otherwise rewrite both.
    """
    report = Report()
    within = connection.in_atomic_block  # then the caller's transaction is the snapshot
    with transaction.atomic(), connection.cursor() as cursor:
        if not within:
            cursor.execute("set transaction isolation level repeatable read, read only")
        # Exported first, then read: a root that is exported is committed, so every one must be found.
        exported = _exported(report, roots_file)
        roots = _roots(report, exported, keys if keys is not None else signing.public_keys())
        end = _check_chain(report, cursor, roots)
        _check_unlinked(report, cursor, end)
    return report


def _exported(report: Report, path: Path | None) -> list[Root]:
    found = []
    for number, line in enumerate(signing.lines(path), 1):
        try:
            found.append(parse(line))
        except ValueError:
            report.add("root", None, None, f"line {number} of the exported roots cannot be read")
    return found


def _roots(report: Report, exported: list[Root], keys: dict[str, Ed25519PublicKey]) -> dict[int, Root]:
    """The roots to hold the chain against: the exported ones, then those of the database not exported yet."""
    stored = [as_root(row) for row in AuditRoot.objects.order_by("sequence")]
    known = {root.sequence: root for root in exported}
    for root in stored:
        if root.sequence in known and root != known[root.sequence]:
            report.add("root", root.sequence, None, f"root {root.sequence} differs from the exported one")
    for missing in sorted(set(known) - {root.sequence for root in stored}):
        report.add("root", missing, None, f"root {missing} was exported but is gone from the database")
    last = max(known, default=0)
    for root in stored:
        if root.sequence not in known and root.sequence < last:
            report.add("root", root.sequence, None, f"root {root.sequence} is missing from the exported roots")
        known.setdefault(root.sequence, root)
    _check_signatures(report, [known[sequence] for sequence in sorted(known)], keys)
    report.roots = len(known)
    return known


def _check_signatures(report: Report, roots: Iterable[Root], keys: dict[str, Ed25519PublicKey]) -> None:
    previous = GENESIS.hex()
    for root in roots:
        key = keys.get(root.key_id)
        if key is None:
            report.add(
                "root", root.sequence, None, f"root {root.sequence}: no public key {root.key_id} to check it with"
            )
        elif not root.genuine(key):
            report.add("root", root.sequence, None, f"root {root.sequence}: the signature is not genuine")
        if root.previous != previous:
            report.add("root", root.sequence, None, f"before root {root.sequence} a root was removed or changed")
        previous = root.digest().hex()


def _rows(cursor: Any) -> Iterator[_Row]:
    with cursor.cursor.copy(f"copy ({CHAIN}) to stdout") as copy:
        for block in copy:
            sequence, entry, digest, xid, line = bytes(block).split(b"\t", 4)
            order = None if xid == b"\\N" else (int(xid), int(entry))
            yield _Row(int(sequence), int(entry), bytes.fromhex(digest.decode()), order, line)


def _check_chain(report: Report, cursor: Any, roots: dict[int, Root]) -> tuple[int, int]:
    """Recompute every link from its neighbour and hold the roots against it; the end's (xid, id)."""
    checker = _Checker(report, roots)
    for row in _rows(cursor):
        checker.take(row)
    checker.finish()
    return checker.order


@dataclass
class _Checker:
    """Walks the chain. `stored` is the previous link's hash as stored, `true` as recomputed: where they differ, the
    next link tells whether the entry or the link itself was changed. `before` is the (xid, id) of the previous entry,
    `order` the largest so far."""

    report: Report
    roots: dict[int, Root]
    stored: bytes | None = GENESIS
    true: bytes | None = GENESIS
    last: int = 0
    order: tuple[int, int] = (0, 0)
    before: tuple[int, int] = (0, 0)
    blamed: bool = False
    amended: bool = False
    proven: int = 0
    hashes: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wanted = {bytes.fromhex(root.hash) for root in self.roots.values()}

    def take(self, row: _Row) -> None:
        self.report.entries += 1
        if row.sequence != self.last + 1:
            self._gap(row)
        if row.order is None:
            self.report.add("removed", row.sequence, row.entry, f"entry {row.entry} was removed")
            self.stored, self.true, self.blamed = row.hash, row.hash, False
        else:
            self._check(row, row.order)
        self._root(row)
        self.last = row.sequence

    def _gap(self, row: _Row) -> None:
        first, last = self.last + 1, row.sequence - 1
        which = f"link {first}" if first == last else f"links {first} to {last}"
        self.report.add("removed", first, None, f"{which} of the chain were removed")
        self.stored, self.blamed = None, False

    def _check(self, row: _Row, order: tuple[int, int]) -> None:
        backwards = order <= self.before
        self.order, self.before = max(self.order, order), order
        if self.stored is None:
            # Nothing to compute from: the next root, or the next link, proves this one.
            self.stored = self.true = row.hash
            return
        computed = self._computed(row)
        if backwards and self.blamed:
            self._amend("reordered", "stands in another place than it was written in")
        self.blamed = computed != row.hash
        if backwards and (self.blamed or not self.amended):
            self._blame(row, "reordered", "stands in another place than it was written in")
        elif self.blamed:
            self._blame(row, "changed", "was changed, or entries were inserted or removed just before it")
        self.amended = False
        self.stored, self.true = row.hash, computed

    def _computed(self, row: _Row) -> bytes:
        computed = link_hash(self.stored or b"", row.sequence, row.line)
        if computed == row.hash or not self.blamed:
            return computed
        truly = link_hash(self.true or b"", row.sequence, row.line)
        if truly != row.hash:
            return computed
        self._amend("changed", "is as written, but its link in the chain was changed")
        return truly

    def _blame(self, row: _Row, kind: str, text: str) -> None:
        self.report.add(kind, row.sequence, row.entry, f"entry {row.entry} {text}")

    def _amend(self, kind: str, text: str) -> None:
        """What the next row tells about the one blamed before it."""
        findings = self.report.findings
        self.amended = True
        for at in range(len(findings) - 1, -1, -1):
            found = findings[at]
            if found.sequence == self.last and found.kind in ("changed", "reordered"):
                findings[at] = Finding(kind, found.sequence, found.entry, f"entry {found.entry} {text}")
                return

    def _root(self, row: _Row) -> None:
        if row.hash in self.wanted:
            self.hashes[row.hash] = row.sequence
        root = self.roots.get(row.sequence)
        if root is None:
            return
        if bytes.fromhex(root.hash) == row.hash:
            self.proven = row.sequence
            return
        text = (
            f"entries {self.proven + 1} to {row.sequence} were rewritten: the signed root {row.sequence} says otherwise"
        )
        self.report.add("rewritten", row.sequence, row.entry, text)

    def finish(self) -> None:
        beyond = [sequence for sequence in self.roots if sequence > self.last]
        if beyond:
            text = f"the chain was cut off after {self.last}: a signed root exists for {max(beyond)}"
            self.report.add("truncated", self.last, None, text)
        for sequence, root in sorted(self.roots.items()):
            found = self.hashes.get(bytes.fromhex(root.hash))
            if found is not None and found != sequence:
                what = "removed from" if found < sequence else "inserted into"
                text = f"{abs(found - sequence)} entries were {what} the chain before {min(found, sequence)}"
                self.report.add("shifted", min(found, sequence), None, text)


def _check_unlinked(report: Report, cursor: Any, end: tuple[int, int]) -> None:
    cursor.execute(UNLINKED, end)
    for (entry,) in cursor.fetchmany(MAXIMUM_FINDINGS):
        report.add("inserted", None, entry, f"entry {entry} has no link: inserted later, or its link removed")
    cursor.execute(PENDING, end)
    report.pending = int(cursor.fetchone()[0])
