"""The XHTML of a narrative (invariants txt-1 and txt-2, http://hl7.org/fhir/R4/narrative.html#xhtml)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
_SPLIT = " "
_ELEMENTS = (
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2"
    " h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr"
    " tt ul var"
)
_NAMES = frozenset(_ELEMENTS.split())
_EVERYWHERE = (
    "abbr accesskey align axis cellpadding cellspacing char charoff class colspan dir headers height id idref lang"
    " rowspan scope span style tabindex title valign width xml:lang"
)
_COMMON = frozenset(_EVERYWHERE.split())
_OWN = {
    "a": "charset coords href hreflang name rel rev shape type target",
    "area": "alt coords href nohref shape",
    "bdo": "cite",
    "blockquote": "cite",
    "br": "clear",
    "col": "bgcolor",
    "hr": "noshade size",
    "img": "alt border hspace ismap longdesc src usemap vspace",
    "li": "type value",
    "map": "name",
    "ol": "compact start type",
    "pre": "xml:space",
    "q": "cite",
    "table": "bgcolor border frame rules summary",
    "td": "bgcolor nowrap",
    "th": "bgcolor nowrap",
    "tr": "bgcolor",
    "ul": "compact type",
}
_ATTRIBUTES = {name: _COMMON | frozenset(_OWN.get(name, "").split()) for name in _NAMES}
_SCRIPTS = ("javascript:", "vbscript:", "data:text/html")


def faults(text: str) -> Iterator[str]:
    """What FHIR forbids in the text of a ``div``; it is read as XML without a document type."""
    reading = _Reading()
    try:
        reading.read(text)
    except expat.ExpatError as error:
        yield f"is not well-formed XHTML: {expat.ErrorString(error.code)} (line {error.lineno})"
        return
    yield from dict.fromkeys(reading.found)
    if not reading.content:
        yield "must have some text or an image that is not only white space (txt-2)"


class _Reading:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.content = False
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator=_SPLIT)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, text: str) -> None:
        self._parser.Parse(text, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(_SPLIT)
        self._depth += 1
        if self._depth == 1 and name != "div":
            self.found.append(f"must be one div element, not {name} (txt-1)")
        if space != XHTML:
            wanted = f'must be in the XHTML namespace: <div xmlns="{XHTML}">'
            self.found.append(wanted if self._depth == 1 else f"{name} is not in the XHTML namespace (txt-1)")
            return
        if name not in _NAMES:
            self.found.append(f"the element {name} is not allowed in a narrative (txt-1)")
            return
        self.content = self.content or name == "img"
        for attribute, value in attributes.items():
            self._attribute(name, attribute.replace("http://www.w3.org/XML/1998/namespace ", "xml:"), value)

    def _attribute(self, name: str, attribute: str, value: str) -> None:
        if attribute not in _ATTRIBUTES[name]:
            self.found.append(f"the attribute {attribute} of {name} is not allowed in a narrative (txt-1)")
        elif attribute in ("href", "src") and value.strip().lower().startswith(_SCRIPTS):
            self.found.append(f"the attribute {attribute} of {name} must not run a program (txt-1)")

    def _end(self, tag: str) -> None:
        self._depth -= 1

    def _text(self, text: str) -> None:
        self.content = self.content or bool(text.strip())

    def _doctype(self, *rest: object) -> None:
        self.found.append("must not declare a document type")

    def _instruction(self, target: str, data: str) -> None:
        self.found.append(f"must not hold the processing instruction {target}")
