"""Plain A4 documents: headings, paragraphs, facts and tables, in Chinese and English."""

from collections.abc import Sequence


class Document:
    """A document built from top to bottom; `render` gives the PDF's bytes with a foot line and page numbers.

    What sets the type is loaded then: it takes 9 MB in every process that has it.
    """

    def __init__(self, title: str, foot: str = "") -> None:
        self._title, self._foot = title, foot
        self._parts: list[tuple[str, tuple[object, ...]]] = []

    def heading(self, text: str) -> None:
        self._parts.append(("heading", (text,)))

    def paragraph(self, text: str) -> None:
        self._parts.append(("paragraph", (text,)))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]], shares: Sequence[float]) -> None:
        """A table whose columns take these shares of the page's width; its head is repeated on every page."""
        self._parts.append(("table", (head, rows, shares)))

    def render(self) -> bytes:
        from shoufu.kernel.base.typesetting import Sheets

        sheets = Sheets(self._title, self._foot)
        for kind, values in self._parts:
            getattr(sheets, kind)(*values)
        return sheets.render()
