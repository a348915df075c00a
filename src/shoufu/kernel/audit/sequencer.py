import logging
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import close_old_connections, connection, transaction
from django.db.utils import InterfaceError, OperationalError
from django.utils import timezone

from shoufu.kernel.audit import signing
from shoufu.kernel.audit.chain import CANONICAL, GENESIS, Root, link_hash, sign
from shoufu.kernel.audit.models import AuditRoot

log = logging.getLogger(__name__)

LOCK = 0x61756469  # "audi": one sequencer at a time, however many processes run it
BATCH = 20_000

# Below the snapshot's xmin every transaction has ended, so nothing can still appear between two entries found here.
NEXT = f"""
    select {CANONICAL}
    from audit_auditentry e
    where (e.xid, e.id) > (%s, %s) and e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    order by e.xid, e.id
    limit {BATCH}
"""
LAST = """
    select l.sequence, l.hash, e.xid, e.id, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    from audit_auditlink l left join audit_auditentry e on e.id = l.entry
    order by l.sequence desc limit 1
"""


class ChainBroken(RuntimeError):
    """Nothing can be chained on: the last linked entry is gone (`shoufu audit verify` says what happened), or was
    written by a transaction that this cluster has not come to."""


@dataclass(frozen=True)
class _End:
    sequence: int = 0
    hash: bytes = GENESIS
    xid: int = 0
    entry: int = 0


class _Link(NamedTuple):
    sequence: int
    entry: int
    hash: bytes


def chain_once() -> int:
    """Chain what was committed since the last time and sign one root; how many entries were chained."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        end = _end(cursor)
        links = _links(cursor, end)
        if links:
            _write(cursor, links)
            _sign(links[-1])
    export()
    return len(links)


def _end(cursor: Any) -> _End:
    cursor.execute(LAST)
    row = cursor.fetchone()
    if row is None:
        return _End()
    if row[3] is None:
        raise ChainBroken(f"the entry of link {row[0]} is gone; run `shoufu audit verify`")
    if row[2] >= row[4]:
        raise ChainBroken(
            f"entry {row[3]} is of transaction {row[2]}, this cluster is at {row[4]}: it was filled from a dump; "
            "new entries come before the chain's end. Restore a physical backup"
        )
    return _End(row[0], bytes(row[1]), row[2], row[3])


def _links(cursor: Any, end: _End) -> list[_Link]:
    links: list[_Link] = []
    digest, sequence = end.hash, end.sequence
    with cursor.cursor.copy(f"copy ({NEXT}) to stdout", [end.xid, end.entry]) as copy:
        for block in copy:
            line = bytes(block)
            sequence += 1
            digest = link_hash(digest, sequence, line)
            links.append(_Link(sequence, int(line[: line.index(b"\t")]), digest))
    return links


def _write(cursor: Any, links: list[_Link]) -> None:
    with cursor.cursor.copy("copy audit_auditlink (sequence, entry, hash) from stdin") as copy:
        copy.write("".join(f"{link.sequence}\t{link.entry}\t\\\\x{link.hash.hex()}\n" for link in links))


def _sign(link: _Link) -> None:
    before = AuditRoot.objects.order_by("-sequence").first()
    previous = as_root(before).digest() if before else GENESIS
    now = timezone.now()
    root = sign(signing.private_key(), link.sequence, link.hash, previous, now)
    AuditRoot.objects.create(
        sequence=root.sequence,
        hash=link.hash,
        previous=previous,
        made_at=now,
        key_id=root.key_id,
        signature=bytes.fromhex(root.signature),
    )


def as_root(row: AuditRoot) -> Root:
    """The exported form of a root in the database."""
    return Root(
        sequence=row.sequence,
        hash=bytes(row.hash).hex(),
        previous=bytes(row.previous).hex(),
        made_at=row.made_at.isoformat(),
        key_id=row.key_id,
        signature=bytes(row.signature).hex(),
    )


def export() -> int:
    """Write the roots that the exported file lacks, after their commit; how many. Safe after a crash at any point."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        rows = AuditRoot.objects.filter(sequence__gt=signing.last_exported()).order_by("sequence")
        roots = [as_root(row) for row in rows]
        if roots:
            signing.append(roots)
    return len(roots)


def run(stop: threading.Event, idle: float = 0.5) -> None:
    """Chain until `stop` is set; for a thread of the worker. Sleeps `idle` seconds when nothing is new.

    A dead database is waited for; a broken chain is logged once a minute and never papered over.
    """
    while not stop.is_set():
        pause = idle
        try:
            close_old_connections()
            while chain_once() == BATCH and not stop.is_set():
                pass
        except (OperationalError, InterfaceError) as error:
            log.warning("audit sequencer: the database does not answer (%s); trying again", error)
            connection.close()
            pause = 2.0
        except (ChainBroken, OSError) as error:
            log.error("audit sequencer: %s", error)
            pause = 60.0
        stop.wait(pause)
    connection.close()
