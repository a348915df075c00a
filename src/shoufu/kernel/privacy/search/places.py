"""Looking through everything: tables, files, archives, the broker's store."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from shoufu.kernel.privacy.search import unpack
from shoufu.kernel.privacy.search.catalogue import Table, quote, tables
from shoufu.kernel.privacy.search.tokens import Form, Hit, Searcher, Token, bare, fold

# The database's own files are read through the database; keys are secrets of ours, and hold no text.
ELSEWHERE = ("postgres", "keys")
MOST_FOUND = 1000


@dataclass(frozen=True)
class Found:
    """An identifier met where it should not be: the table and column, or the file, the row's number, and which one."""

    where: str
    column: str
    row: str
    what: str
    token: Token = field(compare=False, repr=False)


@dataclass
class Searched:
    """How much was looked through. `unread` are files that could not be opened, with the reason."""

    tables: int = 0
    columns: int = 0
    rows: int = 0
    files: int = 0
    media: int = 0
    history: int = 0
    broker: int = 0
    logs: int = 0
    bytes: int = 0
    identifiers: int = 0
    unread: list[str] = field(default_factory=list)


class Search:
    """One pass with one set of tokens."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher
        self.searched = Searched()
        self.found: list[Found] = []
        self.count = 0

    def everything(self) -> "Search":
        """Tables, then files."""
        self.database(tables())
        self.files()
        return self

    def database(self, wanted: Iterable[Table]) -> None:
        with transaction.atomic():
            for table in wanted:
                if table.parent:
                    continue
                self.searched.tables += 1
                self.searched.columns += len(table.texts) + len(table.bytes)
                self._texts(table)
                self._bytes(table)

    def files(self) -> None:
        for path in self._paths():
            self._file(path)

    def _add(self, hits: Iterable[Hit], where: str, column: str = "", row: str = "") -> None:
        for hit in hits:
            self.count += 1
            if len(self.found) < MOST_FOUND:
                self.found.append(Found(where, column, row, hit.token.what, hit.token))

    # Tables: as PostgreSQL copies them, a chunk of whole rows at a time.

    def _texts(self, table: Table) -> None:
        if not table.texts:
            return
        listed = ", ".join(f"{quote(column.name)}::text" for column in table.texts)
        for chunk in _chunks(f"copy (select ctid::text, {listed} from {table.quoted}) to stdout"):
            self.searched.rows += chunk.count(b"\n")
            self.searched.bytes += len(chunk)
            folded = fold(chunk.decode("utf-8", "replace"))
            self._rows(table, Form.TEXT, folded)
            self._rows(table, Form.BARE, bare(folded))

    def _rows(self, table: Table, form: Form, text: str) -> None:
        data = text.encode()
        for hit in self.searcher.find(form, data):
            start = data.rfind(b"\n", 0, hit.at) + 1
            cells = data[start : hit.at].split(b"\t")
            column = table.texts[len(cells) - 2].name if len(cells) > 1 else ""
            row = cells[0].decode() if len(cells) > 1 else ""
            self._add([hit], table.name, column, row)

    def _bytes(self, table: Table) -> None:
        for column in table.bytes:
            query = f"copy (select ctid::text, encode({quote(column.name)}, 'hex') from {table.quoted}) to stdout"
            for chunk in _chunks(query):
                pieces, rows = bytearray(), []
                for line in chunk.splitlines():
                    ctid, _tab, text = line.partition(b"\t")
                    value = b"" if text == b"\\N" else bytes.fromhex(text.replace(b"\n", b"").decode())
                    rows.append((len(pieces), ctid.decode()))
                    pieces += value + b"\x00\x00\x00\x00"
                    self._inside(value, table.name, column.name, ctid.decode())
                self.searched.bytes += len(pieces)
                for hit in self.searcher.find(Form.RAW, bytes(pieces).lower()):
                    row = next((ctid for start, ctid in reversed(rows) if start <= hit.at), "")
                    self._add([hit], table.name, column.name, row)

    # Files.

    def _paths(self) -> Iterator[Path]:
        root = Path(settings.DATA_ROOT)
        apart = [root / name for name in ELSEWHERE]
        roots = {root, Path(settings.MEDIA_ROOT), Path(settings.HISTORY_ROOT)}
        seen: set[Path] = set()
        for top in sorted(roots):
            for path in sorted(top.rglob("*")) if top.is_dir() else ():
                if path in seen or any(path.is_relative_to(other) for other in apart):
                    continue
                seen.add(path)
                if path.is_file() and not path.is_symlink():
                    yield path

    def _file(self, path: Path) -> None:
        name = self._name(path)
        self._count(path)
        try:
            self._say(name, "name", str(path.name))
            if path.suffix == ".parquet":
                for text in unpack.strings_of_parquet(path):
                    self._say(name, "column", text)
                return
            with path.open("rb") as file:
                self._stream(file, name)
        except FileNotFoundError:
            return  # it went while we looked: it is not there
        except (unpack.Unreadable, OSError, ValueError) as error:
            self.searched.unread.append(f"{name}: {error}"[:200])

    def _name(self, path: Path) -> str:
        root = Path(settings.DATA_ROOT)
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    def _count(self, path: Path) -> None:
        searched, root = self.searched, Path(settings.DATA_ROOT)
        searched.files += 1
        searched.media += path.is_relative_to(Path(settings.MEDIA_ROOT))
        searched.history += path.is_relative_to(Path(settings.HISTORY_ROOT))
        searched.broker += path.is_relative_to(root / "nats")
        searched.logs += path.is_relative_to(root / "logs")

    def _stream(self, file: io.BufferedReader, name: str) -> None:
        """The bytes in chunks that overlap by the longest token; what is packed inside small files as well."""
        before = b""
        first = True
        while chunk := file.read(unpack.CHUNK):
            whole = before + chunk
            self._raw(whole, name, len(before))
            if first and len(chunk) < unpack.CHUNK:
                self._inside(chunk, name, "inside", "")
            elif first and _packed(chunk):
                self._inside(chunk + file.read(unpack.MOST_INSIDE), name, "inside", "")
                return
            before, first = whole[-(self.searcher.longest + 1) :], False

    def _raw(self, data: bytes, name: str, seen: int) -> None:
        self.searched.bytes += len(data) - seen
        hits = [hit for hit in self.searcher.find(Form.RAW, data.lower()) if hit.at + hit.token.size > seen]
        self._add(hits, name, "bytes")
        if not hits and _is_text(data):
            self._say(name, "text", data.decode("utf-8", "ignore"))

    def _inside(self, data: bytes, where: str, column: str, row: str) -> None:
        for part, body in unpack.inside(data):
            hits = self.searcher.find(Form.RAW, body.lower())
            self._add(hits, where, f"{column}/{part}", row)
            if not hits and _is_text(body):
                self._say(where, f"{column}/{part}", body.decode("utf-8", "ignore"))

    def _say(self, where: str, column: str, text: str) -> None:
        folded = fold(text)
        hits = self.searcher.find(Form.TEXT, folded.encode())
        self._add(hits or self.searcher.find(Form.BARE, bare(folded).encode()), where, column)


def _packed(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"%PDF", b"\x89PNG") or data[:2] == b"\x1f\x8b"


def _is_text(data: bytes) -> bool:
    return b"\x00" not in data[:4096]


def _chunks(query: str) -> Iterator[bytes]:
    """The lines of a COPY in chunks of whole lines."""
    with connection.cursor() as cursor, cursor.cursor.copy(query) as copy:
        kept = bytearray()
        for block in copy:
            kept += bytes(block)
            if len(kept) >= unpack.CHUNK:
                cut = kept.rfind(b"\n") + 1
                yield bytes(kept[:cut])
                del kept[:cut]
        if kept:
            yield bytes(kept)


def as_dict(searched: Searched) -> dict[str, Any]:
    return vars(searched).copy()
