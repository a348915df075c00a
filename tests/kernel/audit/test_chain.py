"""An intruder with the database's own rights changes the log; `verify` names what they did."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError

from shoufu.kernel.audit import sequencer, signing
from shoufu.kernel.audit.models import AuditEntry, AuditLink, AuditRoot
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.audit.verify import Report, verify
from shoufu.kernel.base.actor import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_folders(settings: object, tmp_path: Path) -> None:
    settings.DATA_ROOT = tmp_path  # type: ignore[attr-defined]
    settings.KEYS_ROOT = tmp_path / "keys"  # type: ignore[attr-defined]
    with intruder() as run:  # what migrations wrote
        run("truncate audit_auditentry, audit_auditlink, audit_auditroot")


@pytest.fixture
def chained() -> list[int]:
    """Ids of 30 chained entries, in three batches with a root each."""
    for batch in range(3):
        record_many(SYSTEM, [Act("test.act", data={"n": batch * 10 + n, "text": "门\t\n\\"}) for n in range(10)])
        assert sequencer.chain_once() == 10
    return list(AuditEntry.objects.order_by("id").values_list("id", flat=True))


@contextmanager
def intruder() -> Iterator[Callable[..., None]]:
    """SQL past the triggers, as the database's owner can run it."""
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        try:
            yield lambda sql, *values: cursor.execute(sql, values)
        finally:
            cursor.execute("set session_replication_role = default")


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(finding.kind, finding.entry) for finding in report.findings}


def test_an_untouched_log_is_whole(chained: list[int]) -> None:
    report = verify()
    assert report.whole and report.entries == 30 and report.roots == 3 and report.pending == 0
    record(SYSTEM, Act("test.more"))
    assert verify().pending == 1
    assert (signing.roots_file().parent / f"{AuditRoot.objects.first().key_id}.pem").exists()
    assert (Path(signing.folder()).parent / "keys" / "audit.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("table", ["audit_auditentry", "audit_auditlink", "audit_auditroot"])
def test_the_database_refuses_update_delete_and_truncate(chained: list[int], table: str) -> None:
    column = "reason" if table == "audit_auditentry" else "hash"
    for sql in (f"update {table} set {column} = {column}", f"delete from {table}", f"truncate {table}"):
        with pytest.raises(ProgrammingError, match="insert only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.parametrize(
    "change",
    ["reason = 'x'", "at = at + interval '1 us'", "actor_label = 'other'", "data = '{}'", "place = 7", "subject = 1"],
)
def test_every_changed_row_is_named(chained: list[int], change: str) -> None:
    with intruder() as run:
        run(f"update audit_auditentry set {change} where id = any(%s)", [chained[4], chained[5], chained[29]])
    assert found(verify()) == {("changed", chained[4]), ("changed", chained[5]), ("changed", chained[29])}


def test_a_removed_row_is_named(chained: list[int]) -> None:
    with intruder() as run:
        run("delete from audit_auditentry where id = any(%s)", [chained[0], chained[17]])
    assert found(verify()) == {("removed", chained[0]), ("removed", chained[17])}


def test_a_row_removed_with_its_link_leaves_a_gap(chained: list[int]) -> None:
    with intruder() as run:
        run("delete from audit_auditlink where entry = %s", chained[12])
        run("delete from audit_auditentry where id = %s", chained[12])
    report = verify()
    assert [(f.kind, f.sequence) for f in report.findings] == [("removed", 13)]


def test_a_row_removed_and_the_links_renumbered_is_found(chained: list[int]) -> None:
    with intruder() as run:
        run("delete from audit_auditlink where entry = %s", chained[12])
        run("delete from audit_auditentry where id = %s", chained[12])
        run("update audit_auditlink set sequence = -sequence where sequence > 13")
        run("update audit_auditlink set sequence = -sequence - 1 where sequence < 0")
    kinds = {finding.kind for finding in verify().findings}
    assert {"changed", "rewritten", "truncated", "shifted"} <= kinds


def test_an_inserted_row_is_named(chained: list[int]) -> None:
    with intruder() as run:
        run(
            "insert into audit_auditentry (xid, at, actor_kind, actor_id, actor_label, action, object_type, object_id,"
            " reason, data) select xid, at, 'user', '1', 'x', 'test.forged', '', '', '', '{}'"
            " from audit_auditentry where id = %s",
            chained[3],
        )
    forged = AuditEntry.objects.get(action="test.forged").pk
    assert found(verify()) == {("inserted", forged)}


def test_reordered_rows_are_named(chained: list[int]) -> None:
    with intruder() as run:
        run("update audit_auditlink set entry = -entry where entry = any(%s)", [chained[6], chained[15]])
        run("update audit_auditlink set entry = %s where entry = %s", chained[6], -chained[15])
        run("update audit_auditlink set entry = %s where entry = %s", chained[15], -chained[6])
    assert found(verify()) == {("reordered", chained[6]), ("reordered", chained[15])}


def test_a_changed_link_is_told_from_a_changed_entry(chained: list[int]) -> None:
    with intruder() as run:
        run("update audit_auditlink set hash = sha256('x') where entry = %s", chained[14])
    report = verify()
    assert found(report) == {("changed", chained[14])} and "link" in report.findings[0].text


def test_a_log_cut_off_is_found(chained: list[int]) -> None:
    with intruder() as run:
        run("delete from audit_auditroot where sequence > 20")
        run("delete from audit_auditlink where sequence > 20")
        run("delete from audit_auditentry where id > %s", chained[19])
    kinds = [finding.kind for finding in verify().findings]
    assert "truncated" in kinds and "root" in kinds


def rechain(start: int) -> None:
    """Recompute all links from a sequence on, as an intruder who knows the algorithm would."""
    from shoufu.kernel.audit.chain import link_hash
    from shoufu.kernel.audit.verify import _rows

    with transaction.atomic(), connection.cursor() as cursor:
        rows = list(_rows(cursor))
        digest = rows[start - 2].hash
        for row in rows[start - 1 :]:
            digest = link_hash(digest, row.sequence, row.line)
            cursor.execute("update audit_auditlink set hash = %s where sequence = %s", [digest, row.sequence])


def test_a_rewritten_chain_contradicts_the_exported_roots(chained: list[int]) -> None:
    with intruder() as run:
        run("update audit_auditentry set reason = 'rewritten' where id = %s", chained[14])
        rechain(15)
    rewritten = [finding for finding in verify().findings if finding.kind == "rewritten"]
    assert [finding.sequence for finding in rewritten] == [20, 30] and "11" in rewritten[0].text


def test_roots_signed_with_another_key_are_refused(chained: list[int], tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(signing.folder(), away)
    with intruder() as run:
        run("update audit_auditentry set reason = 'rewritten' where id = %s", chained[2])
        rechain(3)
        run("delete from audit_auditroot")
    (tmp_path / "keys" / "audit.pem").unlink()
    signing.roots_file().unlink()
    record(SYSTEM, Act("test.cover"))
    sequencer.chain_once()
    report = verify(away / "roots.jsonl", signing.public_keys(away))
    assert {"rewritten", "root"} <= {finding.kind for finding in report.findings}


def test_a_root_taken_out_of_the_exported_file_is_missed(chained: list[int]) -> None:
    lines = signing.roots_file().read_text().splitlines(keepends=True)
    signing.roots_file().write_text(lines[0] + lines[2])
    assert [(f.kind, f.sequence) for f in verify().findings] == [("root", 20)]


def test_an_entry_that_commits_late_is_not_passed_over() -> None:
    """Another session writes first and commits last: the sequencer waits for it, then chains both in order."""
    written, go = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(SYSTEM, Act("test.slow"))
            written.set()
            go.wait(10)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    record(SYSTEM, Act("test.fast"))
    assert sequencer.chain_once() == 0
    go.set()
    thread.join()
    assert sequencer.chain_once() == 2
    entries = AuditEntry.objects.in_bulk(AuditLink.objects.order_by("sequence").values_list("entry", flat=True))
    actions = [entries[link.entry].action for link in AuditLink.objects.order_by("sequence")]
    assert actions == ["test.slow", "test.fast"] and verify().whole


def test_a_log_from_a_dump_in_a_younger_cluster_is_told_and_not_chained_wrongly(chained: list[int]) -> None:
    with intruder() as run:
        run("update audit_auditentry set xid = xid + 1000000")
    record(SYSTEM, Act("test.after"))
    with pytest.raises(sequencer.ChainBroken, match="filled from a dump"):
        sequencer.chain_once()
    assert AuditLink.objects.count() == 30


def test_a_rolled_back_act_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(SYSTEM, Act("test.undone"))
        raise RuntimeError
    assert sequencer.chain_once() == 0 and not AuditEntry.objects.exists()


def test_a_crash_between_commit_and_export_is_made_good(chained: list[int]) -> None:
    lines = signing.roots_file().read_text().splitlines(keepends=True)
    signing.roots_file().write_text(lines[0] + lines[1][:40])
    record(SYSTEM, Act("test.next"))
    sequencer.chain_once()
    report = verify()
    assert report.whole and report.roots == 4 and len(signing.roots_file().read_text().splitlines()) == 4


def test_the_sequencer_runs_until_it_is_told_to_stop(chained: list[int]) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run, args=(stop, 0.01))
    thread.start()
    record(SYSTEM, Act("test.live"))
    for _ in range(500):
        if AuditLink.objects.count() == 31:
            break
        stop.wait(0.02)
    stop.set()
    thread.join()
    assert AuditLink.objects.count() == 31 and verify().whole
