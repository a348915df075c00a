"""Tables of figures for pages, CSV and JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.quality import counting, selectors, summaries
from shoufu.scenes.homecare.quality.counting import Asked, Span
from shoufu.scenes.homecare.quality.figures import LEAST, Cell, Ratio, published, told
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner, ServiceVersion

COLUMNS = (
    ("punctuality", gettext_lazy("Punctual"), "percent"),
    ("minutes", gettext_lazy("Minutes a visit"), "minutes"),
    ("duration", gettext_lazy("Of the planned time"), "percent"),
    ("missed", gettext_lazy("Missed"), "percent"),
    ("cancelled", gettext_lazy("Cancelled"), "percent"),
    ("again7", gettext_lazy("Again within 7 days"), "percent"),
    ("again30", gettext_lazy("Again within 30 days"), "percent"),
    ("infections", gettext_lazy("Infections per 1,000"), "rate"),
    ("incidents", gettext_lazy("Adverse events per 1,000"), "rate"),
    ("rating", gettext_lazy("Rating"), "number"),
    ("complaints", gettext_lazy("Complaints per 1,000"), "rate"),
    ("answer", gettext_lazy("Hours to an answer"), "hours"),
)
"""Figure, its name, and its unit, in the order of the tables."""


def shown(one: Ratio, unit: str) -> str:
    """A figure by its unit: "percent", "rate" (per 1,000), "minutes", "hours" or "number"; "–" where there is none."""
    if one.hidden:
        return _("kept back")
    if one.value is None:
        return "–"
    if unit == "percent":
        return f"{one.value * 100:.1f}%"
    return f"{one.value:.2f}" if unit == "rate" else f"{one.value:.1f}"


def basis(one: Ratio) -> str:
    """Numerator and denominator; empty where it is kept back or nothing was counted."""
    return "" if one.hidden or not one.denominator else f"{one.numerator:.6g} / {one.denominator:.6g}"


@dataclass(frozen=True)
class Row:
    """A line of a table: what it is about, and its figures."""

    label: str
    cell: Cell
    public: bool = False

    @property
    def done(self) -> str:
        return _("fewer than %(n)s people") % {"n": LEAST} if self.cell.hidden else str(self.cell.counts.done)

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Each figure as text, and what it rests on ("12/14")."""
        found = [(told(self.cell, name, public=self.public), unit) for name, _label, unit in COLUMNS]
        return [(shown(one, unit), basis(one)) for one, unit in found]


@dataclass(frozen=True)
class Report:
    """Figures of a span: as a whole and by dimension. `public`: as it may be published."""

    span: Span
    total: Cell
    tables: Mapping[str, Sequence[Row]]
    causes: Sequence[tuple[str, str, int]]
    public: bool

    def ratio(self, name: str) -> Ratio:
        return told(self.total, name, public=self.public)


def report(actor: Actor, asked: Asked, *, public: bool = False, people: bool = False) -> Report:
    """The figures that the actor may see. `people`: by practitioner too, for who handles quality there."""
    span = counting.span(actor, asked)
    dimensions = ["total", "month", "service"]
    if len(span.offices) > 1:
        dimensions.append("institution")
    if people and span.practitioners is None and actor.may_anywhere(selectors.QUALITY):
        dimensions.append("practitioner")
    cells = summaries.cells(span, dimensions, people=public)
    if public:
        cells = {name: published(found) for name, found in cells.items()}
    total = cells["total"][0] if cells["total"] else Cell("", _nothing())
    names = _names(cells)
    tables = {
        name: [Row(names[name].get(cell.key, cell.key), cell, public) for cell in found]
        for name, found in cells.items()
        if name != "total"
    }
    return Report(span, total, tables, summaries.causes(span) if not public else [], public)


def _nothing() -> Any:
    from shoufu.scenes.homecare.quality.figures import Counts

    return Counts()


def _names(cells: Mapping[str, Sequence[Cell]]) -> dict[str, dict[str, str]]:
    def keys(name: str) -> list[int]:
        return [int(cell.key) for cell in cells.get(name, ()) if cell.key]

    versions = ServiceVersion.objects.filter(service__in=keys("service")).order_by("service_id", "-since")
    services = {str(one.service_id): one.label for one in versions.distinct("service_id")}
    offices = Institution.objects.filter(pk__in=keys("institution")).select_related("organisation")
    people = Practitioner.objects.filter(pk__in=keys("practitioner")).select_related("person")
    return {
        "month": {cell.key: cell.key[:7] for cell in cells.get("month", ())},
        "service": services,
        "institution": {str(one.pk): one.label for one in offices},
        "practitioner": {str(one.pk): one.person.name for one in people},
    }


def lines(found: Report) -> Iterator[dict[str, Any]]:
    """The report as lines for CSV and JSON: each figure with numerator and denominator."""
    whole = [("total", [Row(_("Total"), found.total, found.public)]), *found.tables.items()]
    for table, rows in whole:
        for row in rows:
            line: dict[str, Any] = {"table": table, "key": row.cell.key, "label": row.label}
            line["visits"] = "" if row.cell.hidden else row.cell.counts.done
            for name, _label, _unit in COLUMNS:
                ratio = told(row.cell, name, public=found.public)
                line[name] = "" if ratio.value is None else round(ratio.value, 4)
                line[f"{name}_of"] = "" if ratio.hidden else f"{ratio.numerator:g}/{ratio.denominator:g}"
            yield line


def chosen(actor: Actor, since: str, last: str, institution: str = "", service: str = "") -> Asked:
    """What is asked for by months ("2026-05"); the last twelve where nothing is said or it is none."""
    today = register_today(actor)
    end = _month(last) or today.replace(day=1)
    begin = _month(since) or back(end, 11)
    return Asked(begin, summaries.after(end) - timedelta(days=1), _id(institution), _id(service))


def register_today(actor: Actor) -> date:
    """The day at the first institution of the actor, or at the installation's place."""
    from django.utils import timezone

    office = register.institutions(actor).first()
    return register.day_at(office.place) if office is not None else timezone.localdate()


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None


def month_before(actor: Actor, last: str) -> str:
    """The month before the last one that is asked for, as text."""
    return back(_month(last) or register_today(actor).replace(day=1), 1).isoformat()[:7]


def back(month: date, count: int) -> date:
    """The first day of the month so many months before one."""
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def _id(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None
