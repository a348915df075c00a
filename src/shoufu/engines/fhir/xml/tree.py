"""XML in bytes to elements with their names, attributes and content in order; no document type, no entities."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from shoufu.engines.fhir.issues import Issue, Severity
from shoufu.engines.fhir.reading import MAX_BYTES, MAX_DEPTH, Unreadable

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_XML = "http://www.w3.org/XML/1998/namespace"
_SPLIT = " "


@dataclass(slots=True)
class Node:
    """An element: its namespace and name, attributes by name (``namespace name`` where they have one), and content."""

    space: str
    name: str
    attributes: dict[str, str]
    content: list[Node | str] = field(default_factory=list)

    @property
    def children(self) -> list[Node]:
        """The elements in it."""
        return [one for one in self.content if isinstance(one, Node)]

    @property
    def words(self) -> str:
        """The text in it, without that of its children."""
        return "".join(one for one in self.content if isinstance(one, str)).strip()


def parse(data: bytes) -> Node:
    """The root of a document; ``Unreadable`` where it is not well-formed, or too large or deep."""
    if len(data) > MAX_BYTES:
        raise refused(f"is too large: at most {MAX_BYTES} bytes are taken", "too-long")
    reading = _Reading()
    try:
        reading.parser.Parse(data, True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise refused(f"is not well-formed XML: {said} (line {error.lineno}, column {error.offset + 1})") from error
    return reading.root


def refused(message: str, code: str = "structure", where: str = "") -> Unreadable:
    """What ends the reading."""
    return Unreadable(Issue(where, message, code, Severity.FATAL))


def written(node: Node, around: str = "") -> str:
    """An element as XML text again, with the namespace where it differs from the one around it."""
    names = {name.replace(f"{_XML}{_SPLIT}", "xml:"): value for name, value in node.attributes.items()}
    if node.space != around:
        names = {"xmlns": node.space} | names
    attributes = "".join(f' {name}="{_escaped(value)}"' for name, value in names.items() if _SPLIT not in name)
    inner = "".join(_escaped(one) if isinstance(one, str) else written(one, node.space) for one in node.content)
    return f"<{node.name}{attributes}>{inner}</{node.name}>" if inner else f"<{node.name}{attributes}/>"


def _escaped(text: str) -> str:
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(sign, f"&{name};")
    return text


class _Reading:
    def __init__(self) -> None:
        self.root = Node("", "", {})
        self._open: list[Node] = []
        self.parser = expat.ParserCreate(namespace_separator=_SPLIT)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(_SPLIT)
        node = Node(space, name, attributes)
        if len(self._open) == MAX_DEPTH:
            raise refused(f"is nested deeper than the {MAX_DEPTH} elements that are taken", "too-costly")
        if self._open:
            self._open[-1].content.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _end(self, tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].content.append(text)

    def _doctype(self, *rest: object) -> None:
        raise refused("declares a document type, which FHIR's XML has none of")
