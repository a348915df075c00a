from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.booking import calendar, selectors, services, slots
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.models import Booking, Override, Resource
from shoufu.kernel.places.selectors import matching


@needs("booking.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """What bookings take: rooms, courts, people's time."""
    page = ListPage(
        title=_("Resources"),
        name="resources",
        row="booking/resource_row.html",
        template="booking/resources.html",
        default_sort="name",
        empty=_("There is no resource here yet. Add a court, a room or a vehicle with its opening hours."),
        columns=(
            Column("name", _("Name"), "name", lambda r: r.name),
            Column("kind", _("Kind"), "kind", lambda r: r.get_kind_display()),
            Column("place", _("Where"), "place__path", lambda r: r.place.name),
            Column("code", _("Code"), "code", lambda r: r.code),
        ),
        filters=(
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), Resource.Kind.choices),
            Filter("text", _("Number or words"), lambda rows, value: rows.filter(matching(value))),
        ),
    )
    rows = selectors.resources(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, may_add=request.actor.may_anywhere(selectors.MANAGE))


@dataclass(frozen=True)
class Block:
    """Something in a day's column: `top` and `height` in percent of the day, elapsed time over the day's own length."""

    top: float
    height: float
    start: datetime
    end: datetime
    booking: Booking | None = None


@dataclass(frozen=True)
class DayColumn:
    """A day as it is drawn; `hours` are its whole hours as they are read on the clock, 23 to 25 of them."""

    date: date
    hours: Sequence[tuple[float, str]]
    open: Sequence[Block]
    taken: Sequence[Block]
    overrides: Sequence[Override]


def _block(whole: Span, span: Span, booking: Booking | None = None) -> Block:
    length = whole.end - whole.start
    start, end = max(span.start, whole.start), min(span.end, whole.end)
    return Block((start - whole.start) / length * 100, (end - start) / length * 100, span.start, span.end, booking)


def _column(day: selectors.Day, where: ZoneInfo) -> DayColumn:
    whole = Span(
        calendar.instant(day.date, time(), where), calendar.instant(day.date + timedelta(days=1), time(), where)
    )
    count = (whole.end - whole.start) // timedelta(hours=1)
    ticks = [whole.start + n * timedelta(hours=1) for n in range(0, count, 3)]
    taken = [(Span(one.booking.starts_at, one.booking.ends_at), one.booking) for one in day.taken]
    return DayColumn(
        day.date,
        [((at - whole.start) / (whole.end - whole.start) * 100, f"{at.astimezone(where):%H:%M}") for at in ticks],
        [_block(whole, span) for span in day.open],
        [_block(whole, span, booking) for span, booking in taken if span.overlaps(whole)],
        day.overrides,
    )


def _monday(request: PageRequest, where: ZoneInfo) -> date:
    today = timezone.localdate(timezone=where)
    try:
        day = date.fromisoformat(request.GET.get("day") or today.isoformat())
    except ValueError as error:
        raise Invalid.one("day", _("Write a day like 2026-11-23.")) from error
    if not 1970 < day.year < 2200:
        raise Invalid.one("day", _("Must be a day from 1970 to 2200."))
    return day - timedelta(days=day.weekday())


def _page(request: PageRequest, resource_id: int, form: FormState | None = None, status: int = 200) -> HttpResponseBase:
    row = selectors.resource(request.actor, resource_id)
    where = slots.zone_of(row)
    timezone.activate(where)
    monday = _monday(request, where)
    context: dict[str, Any] = {
        "resource": row,
        "rules": row.rules.all(),
        "days": [_column(day, where) for day in selectors.week(request.actor, row, monday)],
        "monday": monday,
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "reasons": Override.Reason.choices,
        "may_manage": request.actor.may("booking.manage", row.place.path),
        "form": form or FormState(),
    }
    return render(request, "booking/resource.html", context, status=status)


@needs("booking.view")
def week(request: PageRequest, resource_id: int) -> HttpResponseBase:
    """A resource's week as a calendar: open hours, bookings, exceptions."""
    return _page(request, resource_id)


@require_POST
@needs("booking.manage")
def away(request: PageRequest, resource_id: int) -> HttpResponseBase:
    """Note an absence, or an opening besides the rules."""
    where = slots.zone_of(selectors.resource(request.actor, resource_id))
    reason = request.POST.get("reason", "")
    try:
        draft = services.OverrideDraft(
            selectors.moment(request.POST.get("starts_at", ""), where, "starts_at"),
            selectors.moment(request.POST.get("ends_at", ""), where, "ends_at"),
            reason,
            available=reason == Override.Reason.EXTRA,
        )
        made = services.add_override(request.actor, resource_id, draft)
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return _page(request, resource_id, FormState(request.POST.dict(), errors), 422)
    if made.affected:
        numbers = ", ".join(one.number for one in made.affected[:20])
        messages.warning(
            request, _("Saved. These bookings stand in it; move or cancel them: %(all)s") % {"all": numbers}
        )
    else:
        messages.success(request, _("Saved."))
    return redirect("booking:resource", resource_id)


@require_POST
@needs("booking.manage")
def remove_override(request: PageRequest, override_id: int) -> HttpResponseBase:
    """Take an exception back."""
    services.remove_override(request.actor, override_id)
    return redirect("booking:resources")
