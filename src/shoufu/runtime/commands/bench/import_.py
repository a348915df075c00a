"""Measure an import of residents."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from shoufu.runtime.bench import residents
from shoufu.runtime.bench.stage import database


@click.command("import")
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(1, 10_000), help="People in the file.")
@click.option("--json", "as_json", is_flag=True, help="The last line is JSON.")
def command(rows: int, as_json: bool) -> None:
    """Import a workbook of residents into an empty compound: read, check, write, every row audited; then undo it.

    `seconds` is what a person waits for in all: the upload with its preview, and applying it (which reads and checks
    the file again, against the register as it then is). The database is a throw-away one with real settings.
    """
    data = residents.workbook(rows)
    with database():
        figures = _measure(data, rows)
    for name, value in figures.items():
        click.echo(f"{name:<16} {value}", err=True)
    if as_json:
        click.echo(json.dumps(figures))


def _measure(data: bytes, rows: int) -> dict[str, Any]:
    from shoufu.kernel.audit.models import AuditEntry
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.imports import services
    from shoufu.kernel.parties.models import Residency

    place = _compound()
    audited = AuditEntry.objects.count()
    with _counted() as queries:
        start = time.perf_counter()
        draft, preview = services.upload(SYSTEM, "people", place, "residents.xlsx", data)
        uploaded, at_preview = time.perf_counter() - start, len(queries)
        if preview.plan.errors:
            raise click.ClickException(f"row {preview.plan.errors[0].row}: {preview.plan.errors[0].message}")
        services.apply(SYSTEM, draft.pk)
        seconds = time.perf_counter() - start
    people = Residency.objects.count()
    entries = AuditEntry.objects.filter(action="parties.create_person").count()
    if people != rows or entries != rows:
        raise click.ClickException(f"{people} residents and {entries} audit entries of {rows} rows")
    figures = {"rows": rows, "seconds": round(seconds, 2), "queries": len(queries), "preview_s": round(uploaded, 2)}
    figures |= {"preview_queries": at_preview, "audited": AuditEntry.objects.count() - audited}
    start = time.perf_counter()
    services.undo(SYSTEM, draft.pk, "bench")
    print(f"undone in {time.perf_counter() - start:.2f} s", file=sys.stderr)
    return figures


def _compound() -> int:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.places import services
    from shoufu.kernel.places.services import PlaceDraft

    drafts = [PlaceDraft("district", "d", "测量区"), PlaceDraft("compound", "c", "测量小区", parent="d")]
    for building in range(1, residents.BUILDINGS + 1):
        drafts.append(PlaceDraft("building", f"b{building}", f"{building}号楼", parent="c"))
        for unit in range(1, residents.UNITS + 1):
            drafts.append(PlaceDraft("unit", f"b{building}u{unit}", f"{unit}单元", parent=f"b{building}"))
    return int(services.create_many(SYSTEM, drafts)[1].pk)


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Every statement that reaches the database, COPY among them."""
    import psycopg
    from django.db import connection

    seen: list[str] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    original = psycopg.Cursor.copy

    def copy(self: Any, statement: Any, *args: Any, **options: Any) -> Any:
        seen.append(str(statement))
        return original(self, statement, *args, **options)

    psycopg.Cursor.copy = copy  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(wrapper):
            yield seen
    finally:
        psycopg.Cursor.copy = original  # type: ignore[method-assign]
