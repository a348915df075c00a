import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .sheet import Line, Note, Problem, Sheet

UTF8, GB18030, UTF16 = "utf-8", "gb18030", "utf-16"
DELIMITERS = ",\t;|"
MOST_ROWS = 100_000
LONGEST_CELL = 32_767  # what a cell of a spreadsheet holds


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line of text and the encoding that it was in; "" for pure ASCII, None where no encoding fits."""

    text: str
    encoding: str | None


def decode(data: bytes) -> list[Decoded]:
    """The lines of a text, each by its own encoding: UTF-8 (with or without BOM), GB18030, or UTF-16 with a BOM.

    Files joined from two sources have lines of both. A line that is valid in both encodings counts as UTF-8, which text
    of another encoding hardly ever is by chance; but where UTF-8 gives no Chinese character and the rest of the file is
    GB18030, it is that. Raises Problem "not_text" for bytes that are no text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return [Decoded(line, UTF16) for line in data.decode("utf-16").splitlines(keepends=True)]
        except UnicodeDecodeError as error:
            raise Problem("not_text", str(error)) from error
    body = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in body:
        raise Problem("not_text", "zero bytes")
    lines = [_line(raw) for raw in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")]
    votes = Counter(line.encoding for line, doubtful in lines if not doubtful)
    gb_file = votes[GB18030] > votes[UTF8]
    return [Decoded(_as_gb(line), GB18030) if doubtful and gb_file else line for line, doubtful in lines]


def _line(raw: bytes) -> tuple[Decoded, bool]:
    """A line, and whether it may as well be GB18030."""
    if raw.isascii():
        return Decoded(raw.decode() + "\n", ""), False
    try:
        text = raw.decode(UTF8)
    except UnicodeDecodeError:
        try:
            return Decoded(raw.decode(GB18030) + "\n", GB18030), False
        except UnicodeDecodeError:
            return Decoded(raw.decode(GB18030, "replace") + "\n", None), False
    chinese = any(character >= "\u0800" for character in text)
    return Decoded(text + "\n", UTF8), not chinese and _fits(raw)


def _fits(raw: bytes) -> bool:
    try:
        raw.decode(GB18030)
    except UnicodeDecodeError:
        return False
    return True


def _as_gb(line: Decoded) -> str:
    return line.text.encode(UTF8).decode(GB18030)


def read_text(data: bytes) -> Sheet:
    """The rows of delimited text; the delimiter is the one that the first lines have most of.

    Lines in another encoding than most are read and noted; Problem "empty" or "not_text" where there is nothing.
    """
    lines = decode(data)
    if not any(line.text.strip() for line in lines):
        raise Problem("empty")
    main = Counter(line.encoding for line in lines if line.encoding).most_common(1)
    encoding = str(main[0][0]) if main else UTF8
    notes = list(_notes(lines, encoding))
    rows = list(_rows([line.text for line in lines]))
    return Sheet(rows, encoding, notes)


def _notes(lines: list[Decoded], encoding: str) -> Iterator[Note]:
    for number, line in enumerate(lines, 1):
        if line.encoding is None:
            yield Note(number, "undecodable")
        elif line.encoding and line.encoding != encoding:
            yield Note(number, "encoding", line.encoding)


def _rows(texts: list[str]) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_CELL * 4)
    reader = csv.reader(texts, delimiter=_delimiter(texts))
    first = 1
    try:
        for values in reader:
            if first > MOST_ROWS:
                raise Problem("too_many_rows", str(MOST_ROWS))
            yield Line(first, tuple(values))
            first = reader.line_num + 1
    except csv.Error as error:
        raise Problem("damaged", f"line {reader.line_num}: {error}") from error


def _delimiter(texts: list[str]) -> str:
    head = [text for text in texts[:20] if text.strip()]
    counts = {delimiter: sum(text.count(delimiter) for text in head) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])
