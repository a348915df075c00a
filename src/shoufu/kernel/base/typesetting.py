"""Setting a document's parts as PDF; loaded when one is made (see `pdf.Document`)."""

import io
from collections.abc import Sequence

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

# A font that every PDF reader has for Chinese: nothing to ship, nothing to embed.
FONT = "STSong-Light"
BODY = ParagraphStyle("body", fontName=FONT, fontSize=9.5, leading=14, wordWrap="CJK")
CELL = ParagraphStyle("cell", parent=BODY, fontSize=8.5, leading=12)
TITLE = ParagraphStyle("title", parent=BODY, fontSize=16, leading=22, spaceAfter=2 * mm)
HEADING = ParagraphStyle("heading", parent=BODY, fontSize=11.5, leading=16, spaceBefore=4 * mm, spaceAfter=1.5 * mm)
LINES = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#c9d1d6")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eef2f4")),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
)


class Sheets:
    """A4 pages filled from top to bottom."""

    def __init__(self, title: str, foot: str = "") -> None:
        if FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        self._title, self._foot = title, foot
        self._story: list[Flowable] = [Paragraph(_safe(title), TITLE)]

    def heading(self, text: str) -> None:
        self._story.append(Paragraph(_safe(text), HEADING))

    def paragraph(self, text: str) -> None:
        self._story += [Paragraph(_safe(line) or "&nbsp;", BODY) for line in text.splitlines() or [""]]

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]], shares: Sequence[float]) -> None:
        """A table whose columns take these shares of the page's width; its head is repeated on every page."""
        width = A4[0] - 36 * mm
        cells = [[Paragraph(_safe(str(cell)), CELL) for cell in row] for row in (head, *rows)]
        widths = [width * share / sum(shares) for share in shares]
        self._story += [Table(cells, colWidths=widths, repeatRows=1, style=LINES), Spacer(1, 2 * mm)]

    def render(self) -> bytes:
        buffer = io.BytesIO()
        document = SimpleDocTemplate(
            buffer,
            pagesize=A4,
            title=self._title,
            leftMargin=18 * mm,
            rightMargin=18 * mm,
            topMargin=16 * mm,
            bottomMargin=18 * mm,
        )
        document.build(self._story, onFirstPage=self._below, onLaterPages=self._below)
        return buffer.getvalue()

    def _below(self, canvas: object, document: object) -> None:
        canvas.setFont(FONT, 8)  # type: ignore[attr-defined]
        canvas.drawString(18 * mm, 10 * mm, self._foot)  # type: ignore[attr-defined]
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))  # type: ignore[attr-defined]


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
