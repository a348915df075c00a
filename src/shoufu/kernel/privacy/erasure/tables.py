"""Erasure in tables: what the apps declare, then every text that still names the person."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, ProtectedError, QuerySet
from psycopg.types.json import Json, Jsonb

from shoufu.kernel.privacy.declarations import Erase, Holding, Subject
from shoufu.kernel.privacy.erasure.patterns import MARK
from shoufu.kernel.privacy.search.catalogue import Column, Table, quote, tables

# Registers of things, not people; the chain that nobody may change; what erasure itself writes; other people's rows.
NOT_SWEPT = frozenset(
    {
        "audit_auditentry", "audit_auditlink", "audit_auditroot", "audit_subjectkey", "privacy_tombstone",
        "django_migrations", "django_content_type", "auth_permission", "places_place",
        "observations_observationkind", "notices_template", "parties_person", "parties_organisation", "access_user",
        "batch_log",
    }
)  # fmt: skip
SWEPT_TYPES = frozenset({"text", "varchar", "bpchar", "json", "jsonb", "_text", "_varchar"})


@dataclass(frozen=True)
class Gone:
    """What goes, or went, in one table: how (delete, blank, keep, scrub) and how many rows."""

    table: str
    how: str
    rows: int


def rows_of(holding: Holding, subject: Subject) -> QuerySet[Any] | None:
    """The rows of a holding that concern the person."""
    condition = holding.rows(subject)
    if condition is None:
        return None
    manager = holding.table._base_manager
    return manager.filter(pk__in=manager.filter(condition).values("pk").distinct())


def plan(holdings: Iterable[Holding], subject: Subject) -> list[Gone]:
    """How many rows of each declared table concern the person."""
    found = []
    for holding in holdings:
        rows = rows_of(holding, subject)
        count = rows.count() if rows is not None else 0
        if count:
            found.append(Gone(holding.table._meta.db_table, str(holding.erase), count))
    return found


def apply(holdings: Sequence[Holding], subject: Subject) -> list[Gone]:
    """Do what each holding declares; blanks first. What something else still needs (PROTECT) waits for that to go."""
    waiting = sorted(holdings, key=lambda one: one.erase == Erase.DELETE)
    done: list[Gone] = []
    while waiting:
        left: list[Holding] = []
        for holding in waiting:
            try:
                with transaction.atomic():
                    done += _apply(holding, subject)
            except ProtectedError:
                left.append(holding)
        if len(left) == len(waiting):
            _apply(left[0], subject)  # nothing gives way: say what stands in the way
        waiting = left
    return done


def _apply(holding: Holding, subject: Subject) -> list[Gone]:
    rows = rows_of(holding, subject)
    count = rows.count() if rows is not None else 0
    if rows is None or not count:
        return []
    if holding.erase == Erase.DELETE:
        rows.delete()
    elif holding.erase == Erase.BLANK:
        _blank(rows, holding.blank, subject)
    return [Gone(holding.table._meta.db_table, str(holding.erase), count)]


def _blank(rows: QuerySet[Model], blank: Mapping[str, Any], subject: Subject) -> int:
    values = {name: value(subject) if callable(value) else value for name, value in blank.items()}
    return rows.update(**values)


def swept() -> list[Table]:
    """The tables whose texts are looked through for what is left: all but NOT_SWEPT; a partitioned one as a whole."""
    return [one for one in tables() if not one.part and one.name not in NOT_SWEPT and _texts(one)]


def _texts(table: Table) -> list[Column]:
    return [column for column in table.columns if column.type in SWEPT_TYPES]


@dataclass(frozen=True)
class Kept:
    """Rows that a hold keeps: of these cases, and these observations and media."""

    cases: tuple[int, ...] = ()
    observations: tuple[str, ...] = ()
    media: tuple[str, ...] = ()


def sweep(table: Table, wanted: str, kept: Kept, *, write: bool) -> int:
    """Replace every identifier in a table's texts by a mark (or count the rows, without `write`); how many rows."""
    columns = _texts(table)
    condition, parameters = _names(columns, wanted)
    where, held = _not_held(table, kept)
    if not write:
        return _count(f"SELECT count(*) FROM {table.quoted} WHERE ({condition}){where}", parameters + held)
    listed = ", ".join(quote(column.name) for column in columns)
    query = f"SELECT tableoid, ctid::text, {listed} FROM {table.quoted} WHERE ({condition}){where} FOR UPDATE"
    known = re.compile(wanted, re.IGNORECASE)
    with connection.cursor() as cursor:
        cursor.execute(query, parameters + held)
        rows = cursor.fetchall()
        for oid, ctid, *values in rows:
            _rewrite(cursor, table, columns, known, (oid, ctid), values)
    return len(rows)


def _rewrite(
    cursor: Any,
    table: Table,
    columns: Sequence[Column],
    known: re.Pattern[str],
    row: tuple[int, str],
    values: Sequence[Any],
) -> None:
    settings = ", ".join(f"{quote(column.name)} = %s" for column in columns)
    changed = [_without(column, known, value) for column, value in zip(columns, values, strict=True)]
    query = f"UPDATE {table.quoted} SET {settings} WHERE tableoid = %s AND ctid = %s::tid"
    cursor.execute(query, [*changed, *row])


def _without(column: Column, known: re.Pattern[str], value: Any) -> Any:
    if column.type in ("json", "jsonb"):
        found = json.loads(value) if isinstance(value, str) else value
        return None if value is None else (Jsonb if column.type == "jsonb" else Json)(_scrubbed(known, found))
    scrubbed = _scrubbed(known, value)
    return scrubbed[: column.limit] if isinstance(scrubbed, str) and column.limit else scrubbed


def _scrubbed(known: re.Pattern[str], value: Any) -> Any:
    """The value without the identifiers, in texts, in lists, in objects' keys and values, and in whole numbers."""
    if isinstance(value, str):
        return known.sub(MARK, value)
    if isinstance(value, list):
        return [_scrubbed(known, item) for item in value]
    if isinstance(value, dict):
        return {known.sub(MARK, key): _scrubbed(known, item) for key, item in value.items()}
    if type(value) is int and known.search(str(value)):
        return MARK
    return value


def _names(columns: Sequence[Column], wanted: str) -> tuple[str, list[Any]]:
    """The condition "one of these texts names the person", and its parameters."""
    return " OR ".join(f"{quote(column.name)}::text ~* %s" for column in columns), [wanted] * len(columns)


def held_rows(table: Table, wanted: str, kept: Kept) -> int:
    """Rows of the table that name the person and that a hold keeps."""
    where, held = _not_held(table, kept)
    if not where:
        return 0
    condition, parameters = _names(_texts(table), wanted)
    query = f"SELECT count(*) FROM {table.quoted} WHERE ({condition}) AND NOT (true{where})"
    return _count(query, parameters + held)


def _not_held(table: Table, kept: Kept) -> tuple[str, list[Any]]:
    where = ""
    held: list[list[Any]] = []
    if table.name == "cases_case" and kept.cases:
        where, held = " AND NOT (id = ANY(%s))", [list(kept.cases)]
    elif table.has("case_id") and kept.cases:
        where, held = " AND NOT coalesce(case_id = ANY(%s), false)", [list(kept.cases)]
    elif table.name == "obs" and kept.observations:
        where, held = " AND NOT (id = ANY(%s::uuid[]))", [list(kept.observations)]
    elif table.name == "media_mediaobject" and kept.media:
        where, held = " AND NOT (id = ANY(%s::uuid[]))", [list(kept.media)]
    return where, held


def _count(query: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return int(cursor.fetchone()[0])
