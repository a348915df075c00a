"""Translation catalogues without the gettext tools: read `.po`, write `.mo`, find what is not translated."""

import ast
import os
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import trim_whitespace

PACKAGE = Path(__file__).resolve().parent.parent
CONTEXT = "\x04"
PLURAL = "\x00"
MAGIC = 0x950412DE


class CatalogueError(ValueError):
    """A `.po` file cannot be read: says which line and why."""


@dataclass(frozen=True)
class Message:
    """An entry of a catalogue: `id` as gettext keys it (context and plural joined in), `text` its translation."""

    id: str
    text: str
    fuzzy: bool = False


def parse(text: str) -> list[Message]:
    """The entries of a `.po` file, the header (empty id) included. Raises CatalogueError for a line it cannot read."""
    messages: list[Message] = []
    entry: dict[str, str] = {}
    fuzzy = False
    field = ""
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip()
        if not line:
            if "msgid" in entry:
                messages.append(_message(entry, fuzzy))
            entry, fuzzy, field = {}, False, ""
        elif line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
        else:
            head = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+"', line)
            if head:
                field = head.group(1)
                entry[field] = ""
                line = line[head.end() - 1 :]
            if not field or not line.startswith('"') or not line.endswith('"'):
                raise CatalogueError(f"line {number}: expected a keyword or a quoted string, found {raw!r}")
            entry[field] += ast.literal_eval(line)
    return messages


def _message(entry: dict[str, str], fuzzy: bool) -> Message:
    key = entry["msgid"]
    if "msgctxt" in entry:
        key = entry["msgctxt"] + CONTEXT + key
    if "msgid_plural" not in entry:
        return Message(key, entry.get("msgstr", ""), fuzzy)
    forms = [entry[name] for name in sorted(entry) if name.startswith("msgstr[")]
    return Message(key + PLURAL + entry["msgid_plural"], PLURAL.join(forms), fuzzy)


def encode(messages: list[Message]) -> bytes:
    """The `.mo` form (GNU gettext, little endian, no hash table) of the translated entries."""
    pairs = sorted((m.id.encode(), m.text.encode()) for m in messages if m.text and not (m.fuzzy and m.id))
    keys_at, texts_at = 28, 28 + 8 * len(pairs)
    offset = 28 + 16 * len(pairs)
    tables: list[list[tuple[int, int]]] = [[], []]
    blobs: list[bytes] = []
    for column in (0, 1):
        for pair in pairs:
            tables[column].append((len(pair[column]), offset))
            blobs.append(pair[column] + b"\x00")
            offset += len(pair[column]) + 1
    head = struct.pack("<7I", MAGIC, 0, len(pairs), keys_at, texts_at, 0, 0)
    index = b"".join(struct.pack("<2I", *entry) for table in tables for entry in table)
    return head + index + b"".join(blobs)


def catalogues(language: str = "*") -> list[Path]:
    """The `.po` files: the shell's in `web/locale`, and one in the `locale` folder of any app that has its own."""
    return sorted(PACKAGE.glob(f"**/locale/{language}/LC_MESSAGES/*.po"))


def compile_stale() -> list[Path]:
    """Write every `.mo` that is missing or older than its `.po`; returns those written.

    Several processes may do so at once: each writes its own file and renames it.
    """
    written = []
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        data = encode(parse(source.read_text(encoding="utf-8")))
        spare = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            spare.write_bytes(data)
        except OSError as error:
            if target.exists():
                continue
            raise CatalogueError(f"cannot write {spare}: {error.strerror}; make its folder writable once") from error
        spare.replace(target)
        written.append(target)
    return written


FUNCTIONS = frozenset({"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"})
_TRANS = re.compile(r"""\{%-?\s*(?:trans|translate)\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')([^%]*)""")
_CONTEXT = re.compile(r"""context\s+["']([^"']*)["']""")
_INLINE = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\)""")
_BLOCK = re.compile(
    r"\{%\s*(?:blocktrans|blocktranslate)([^%]*)%\}(.*?)\{%\s*end(?:blocktrans|blocktranslate)\s*%\}", re.DOTALL
)
_SPLIT = re.compile(r"\{%\s*plural\s*%\}")


def used(root: Path = PACKAGE) -> dict[str, str]:
    """Every source string of the product, as gettext keys it, with the file that uses it."""
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix not in {".py", ".html", ".txt"} or "static" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        strings = _python(text) if path.suffix == ".py" else _template(text)
        for key in strings:
            found.setdefault(key, str(path.relative_to(root)))
    return found


def _template(text: str) -> Iterator[str]:
    for double, single, rest in _TRANS.findall(text):
        context = _CONTEXT.search(rest)
        yield (context.group(1) + CONTEXT if context else "") + (double or single)
    for double, single in _INLINE.findall(re.sub(r"\{%\s*(?:trans|translate)\b[^%]*%\}", "", text)):
        yield double or single
    for options, body in _BLOCK.findall(text):
        trimmed = "trimmed" in options
        parts = [re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", part) for part in _SPLIT.split(body)]
        context = _CONTEXT.search(options)
        head = context.group(1) + CONTEXT if context else ""
        yield head + PLURAL.join(trim_whitespace(part) if trimmed else part for part in parts)


def _names(tree: ast.Module) -> dict[str, str]:
    """What a module calls the functions of gettext, whatever names it gave them."""
    found = {"_": "gettext"} | {name: name for name in FUNCTIONS}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: one.name for one in node.names if one.name in FUNCTIONS}
    return found


def _python(text: str) -> Iterator[str]:
    if "_(" not in text and "gettext" not in text:
        return
    tree = ast.parse(text)
    names = _names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        name = names.get(called, "")
        if not name:
            continue
        strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if not strings:
            continue
        if name.startswith("ngettext") and len(strings) >= 2:
            yield strings[0] + PLURAL + strings[1]
        elif name == "pgettext" and len(strings) >= 2:
            yield strings[0] + CONTEXT + strings[1]
        else:
            yield strings[0]


def missing(language: str = "zh_Hans") -> dict[str, str]:
    """Source strings without a translation, with a file that uses each."""
    known = {m.id for path in catalogues(language) for m in parse(path.read_text("utf-8")) if m.text}
    return {key: where for key, where in used().items() if key not in known}


if __name__ == "__main__":
    for path in compile_stale():
        print(path)
    if "--missing" in sys.argv:
        for key, where in missing().items():
            print(f"{where}: {key!r}")
