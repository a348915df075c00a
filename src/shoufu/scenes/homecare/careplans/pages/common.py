"""What the pages of staff and of patients share: the form of a reading, trends, the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.careplans import charts, selectors, words
from shoufu.scenes.homecare.careplans.models import CarePlan
from shoufu.scenes.homecare.careplans.selectors import Clear
from shoufu.scenes.homecare.careplans.services.readings import ReadingDraft
from shoufu.scenes.homecare.register.models import Patient

SPANS = (30, 90)


def kind_of(code: str) -> chronic.Kind:
    """A sort of reading by its code in the address; NotFound for another."""
    found = chronic.KINDS.get(code)
    if found is None:
        raise NotFound(_("There is no such sort of reading."))
    return found


def days_of(request: PageRequest) -> int:
    """How many days a trend shows: 30, or 90 as the address asks."""
    return 90 if request.GET.get("days") == "90" else 30


@dataclass(frozen=True)
class Input:
    """A number of the form: name, label with unit, and the limits that are taken."""

    name: str
    label: str
    unit: str
    hint: str
    needed: bool


def inputs(kind: chronic.Kind) -> list[Input]:
    made = []
    for name in kind.quantities:
        found = chronic.QUANTITIES[name]
        hint = f"{found.least:g}–{found.most:g} {found.unit}"
        made.append(Input(name, words.quantity(name), found.unit, hint, name in kind.needs))
    return made


def form_context(kind: chronic.Kind, patient: Patient) -> dict[str, Any]:
    zone = selectors.zone_of(patient)
    return {
        "kind": kind,
        "inputs": inputs(kind),
        "contexts": [(code, words.context(code)) for code in kind.contexts],
        "id": uuid4(),
        "now": timezone.now().astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "patient": patient,
        "bluetooth": kind.code in ("blood_pressure", "glucose"),
    }


def draft_of(request: PageRequest, kind: chronic.Kind, patient: Patient) -> ReadingDraft:
    """The reading that a form sent; Invalid names what cannot be read."""
    errors: list[FieldError] = []
    values = {}
    for name in kind.quantities:
        text = request.POST.get(name, "").strip().replace("，", ".").replace(",", ".")
        if not text:
            continue
        try:
            values[name] = float(text)
        except ValueError:
            errors.append(FieldError(name, _("Write a number.")))
    at = _moment(request.POST.get("at", ""), patient, errors)
    try:
        id = UUID(request.POST.get("id", ""))
    except ValueError:
        id = uuid4()
    if errors:
        raise Invalid(*errors)
    return ReadingDraft(id, kind.code, values, at, request.POST.get("context", ""))


def _moment(text: str, patient: Patient, errors: list[FieldError]) -> datetime | None:
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        errors.append(FieldError("at", _("Choose day and time.")))
        return None
    return found if found.tzinfo else found.replace(tzinfo=selectors.zone_of(patient))


@dataclass(frozen=True)
class Trend:
    """A chart with what it means, for one quantity or the two pressures."""

    kind: str
    title: str
    svg: SafeString
    names: Sequence[str]
    target: str
    banded: bool


def trends(
    readings: Sequence[Clear], targets: Sequence[chronic.Target], patient: Patient, days: int, kinds: Sequence[str]
) -> list[Trend]:
    """A trend for each sort of reading that has any in the last `days` days."""
    zone = selectors.zone_of(patient)
    last = timezone.now().astimezone(zone)
    first = (last - timedelta(days=days)).date()
    found = []
    for code in kinds:
        rows = [one for one in readings if one.row.kind == code and one.row.at.astimezone(zone).date() > first]
        shown = _trend(code, rows, targets, zone, first, days)
        if shown is not None:
            found.append(shown)
    return found


def _trend(
    code: str, rows: Sequence[Clear], targets: Sequence[chronic.Target], zone: Any, first: Any, days: int
) -> Trend | None:
    if not rows:
        return None
    series, said = [], []
    for name in chronic.KINDS[code].needs:
        fitting = strictest([one for one in targets if one.quantity == name])
        points = []
        for one in sorted(rows, key=lambda clear: clear.row.at):
            if name not in one.values:
                continue
            local = one.row.at.astimezone(zone)
            day = (local.date() - first).days - 1 + (local.hour * 60 + local.minute) / 1440
            value = one.values[name]
            out = any(t.side(value) for t in fitting if t.takes(one.row.context))
            points.append((day, value, out))
        lows = [one.low for one in fitting if one.low is not None]
        highs = [one.high for one in fitting if one.high is not None]
        low, high = (min(lows) if lows else None), (max(highs) if highs else None)
        series.append(charts.Series(words.quantity(name), points, low, high))
        said += [f"{words.goal_name(t.quantity, t.context)} {words.bounds(t.low, t.high, t.strict)}" for t in fitting]
    unit = words.unit(chronic.KINDS[code].needs[0])
    svg = charts.trend(words.kind(code), series, first + timedelta(days=1), days, unit)
    banded = any(one.low is not None and one.high is not None for one in series)
    return Trend(code, words.kind(code), svg, [one.name for one in series], "; ".join(said), banded)


def strictest(targets: Sequence[chronic.Target]) -> list[chronic.Target]:
    """Of the targets that several plans set for the same context, the one with the lowest upper bound."""
    found: dict[str, chronic.Target] = {}
    for one in targets:
        known = found.get(one.context)
        if known is None or (one.high is not None and (known.high is None or one.high < known.high)):
            found[one.context] = one
    return list(found.values())


def kinds_of(plan_rows: Sequence[CarePlan], targets: Sequence[chronic.Target], readings: Sequence[Clear]) -> list[str]:
    """The sorts of reading that matter to plans, the goals' first, then whatever else was measured."""
    wanted = [code for code, kind in chronic.KINDS.items() if {t.quantity for t in targets} & set(kind.needs)]
    return wanted + [code for code in chronic.KINDS if code not in wanted and any(r.row.kind == code for r in readings)]


def csv_rows(readings: Sequence[Clear], patient: Patient) -> list[dict[str, Any]]:
    """Readings for a spreadsheet, times by the clock of the place."""
    zone = selectors.zone_of(patient)
    return [
        {
            _("Time"): one.row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            _("Reading"): words.kind(one.row.kind),
            _("When measured"): words.context(one.row.context) if one.row.context else "",
            **{
                f"{words.quantity(q)} ({words.unit(q)})": one.values.get(q, "")
                for q in chronic.KINDS[one.row.kind].quantities
            },
            _("Entered by"): one.row.get_source_display(),
        }
        for one in readings
    ]
