"""Sees which rows of the neighbour a request changed, or made refer to it, by triggers of the throw-away database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from shoufu.runtime.drill.neighbours.rows import IDS, Estate, own_models

UNWATCHED = ("audit",)
"""The audit log tells of a look or a refusal; that it names what was looked at is its work."""


@dataclass(frozen=True)
class Signs:
    """What shows that something belongs to an estate: its secret, its ids and its UUIDs."""

    secret: str
    first: str
    ids: re.Pattern[str]
    uuids: frozenset[str]

    @classmethod
    def of(cls, estate: Estate) -> Signs:
        """The signs of a filled estate."""
        start = str(estate.first_id // IDS)
        keys = {str(row.pk) for rows in estate.rows.values() for row in rows if isinstance(row.pk, UUID)}
        return cls(estate.secret, start, re.compile(rf"(?<!\w){start}\d{{6}}(?!\w)"), frozenset(keys))

    def within(self, text: str, sent: str = "") -> list[str]:
        """The signs in a text that was not told them itself."""
        found = [self.secret] if self.secret in text.lower() and self.secret not in sent.lower() else []
        found += [one for one in sorted(set(self.ids.findall(text))) if one not in sent]
        return found + [one for one in self.uuids if one in text and one not in sent]

    def keyed(self, text: str) -> bool:
        """Whether an id of the estate stands in the text."""
        return bool(self.ids.search(text)) or any(one in text for one in self.uuids)

    def around(self, text: str) -> str:
        """The part of a row's text that holds a sign."""
        found = self.ids.search(text)
        places = [found.start()] if found else [at for one in (self.secret, *self.uuids) if (at := text.find(one)) >= 0]
        start = max(0, min(places, default=0) - 80)
        return text[start : start + 200]

    @property
    def pattern(self) -> str:
        """As a regular expression of PostgreSQL."""
        return "|".join([self.secret, rf"\m{self.first}\d{{6}}\M", *sorted(self.uuids)])


def install(signs: Signs) -> None:
    """Watch every table for changes of rows that carry a sign, and for new rows that do."""
    with connection.cursor() as cursor:
        cursor.execute("create table drill_seen (place text, what text, row_text text)")
        cursor.execute(
            "create function drill_watch() returns trigger language plpgsql as $$ begin "
            "if (case when tg_op = 'INSERT' then '' else to_jsonb(old)::text end || "
            "case when tg_op = 'DELETE' then '' else to_jsonb(new)::text end) ~* tg_argv[0] then "
            "insert into drill_seen values (tg_table_name, tg_op, "
            "case when tg_op = 'DELETE' then to_jsonb(old)::text else to_jsonb(new)::text end); end if; "
            "return null; end $$"
        )
        for model in own_models():
            if model._meta.app_label not in UNWATCHED:
                table = connection.ops.quote_name(model._meta.db_table)
                pattern = signs.pattern.replace("'", "''")
                cursor.execute(
                    f"create trigger drill_watch after insert or update or delete on {table} "
                    f"for each row execute function drill_watch('{pattern}')".replace("%", "%%")
                )


def seen(signs: Signs, sent: str) -> list[str]:
    """What this transaction changed of the neighbour's or tied to it, in words; texts that were sent do not count."""
    with connection.cursor() as cursor:
        cursor.execute("select what, place, row_text from drill_seen")
        rows = cursor.fetchall()
    return [
        f"{what} {table}: {signs.around(text)}"
        for what, table, text in rows
        if signs.keyed(text) or (signs.secret in text.lower() and signs.secret not in sent.lower())
    ]
