from datetime import date, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.booking import calendar, selectors, services, slots
from shoufu.kernel.booking.models import Offering
from shoufu.kernel.places.selectors import matching

DAYS = 7


@needs("booking.book")
def listing(request: PageRequest) -> HttpResponseBase:
    """What can be booked."""
    page = ListPage(
        title=_("Offerings"),
        name="offerings",
        row="booking/offering_row.html",
        template="booking/offerings.html",
        default_sort="name",
        empty=_("Nothing is offered here yet. The office adds resources first, then an offering."),
        columns=(
            Column("name", _("Name"), "name", lambda o: o.name),
            Column("place", _("Where"), "place__path", lambda o: o.place.name),
            Column("minutes", _("Minutes"), csv=lambda o: o.current.duration_minutes if o.current else ""),
            Column("places", _("Places"), csv=lambda o: o.current.capacity if o.current else ""),
            Column("price", _("Price"), csv=lambda o: o.current.price if o.current else ""),
            Column("ends", _("Until"), "ends_at", lambda o: o.ends_at or ""),
        ),
        filters=(Filter("text", _("Number or words"), lambda rows, value: rows.filter(matching(value))),),
    )
    may_add = request.actor.may_anywhere(selectors.MANAGE)
    return answer(request, page, selectors.offerings(request.actor), may_add=may_add)


def _first_day(request: PageRequest, row: Offering) -> date:
    where = slots.zone_named(row.place.time_zone)
    today = timezone.localdate(timezone=where)
    try:
        return max(today, date.fromisoformat(request.GET.get("day") or today.isoformat()))
    except ValueError as error:
        raise Invalid.one("day", _("Write a day like 2026-11-23.")) from error


def _page(request: PageRequest, offering_id: int, form: FormState | None = None, status: int = 200) -> HttpResponseBase:
    row = selectors.bookable(request.actor, offering_id)
    where = slots.zone_named(row.place.time_zone)
    timezone.activate(where)
    day = _first_day(request, row)
    edges = [calendar.instant(day + timedelta(days=n), time(), where) for n in range(DAYS + 1)]
    found = [] if row.provider else selectors.free_slots(request.actor, selectors.Ask(row, edges[0], edges[-1]))
    shown = [
        (day + timedelta(days=n), [one for one in found if edges[n] <= one.start < edges[n + 1]]) for n in range(DAYS)
    ]
    context: dict[str, Any] = {
        "offering": row,
        "terms": row.current,
        "days": shown,
        "before": day - timedelta(days=DAYS) if day > timezone.localdate() else None,
        "after": day + timedelta(days=DAYS),
        "form": form or FormState(),
        "full": not found and not row.provider,
        "last": day + timedelta(days=DAYS - 1),
        "may_manage": request.actor.may(selectors.MANAGE, row.place.path),
    }
    return render(request, "booking/offering.html", context, status=status)


@needs("booking.book")
def detail(request: PageRequest, offering_id: int) -> HttpResponseBase:
    """An offering with the free slots of seven days."""
    return _page(request, offering_id)


@require_POST
@needs("booking.book")
def hold(request: PageRequest, offering_id: int) -> HttpResponseBase:
    """Hold a slot; the next page asks to confirm it."""
    row = selectors.bookable(request.actor, offering_id)
    try:
        start = selectors.moment(request.POST.get("start", ""), slots.zone_named(row.place.time_zone))
        made = services.hold(request.actor, services.HoldDraft(row, start))
    except Conflict as refusal:
        return _page(request, offering_id, FormState(problem=refusal.detail), 409)
    except Invalid as refusal:
        return _page(request, offering_id, FormState(problem=str(refusal.errors[0].message)), 422)
    messages.success(request, _("Held. Confirm it before the time is over."))
    return redirect("booking:detail", made.pk)


@require_POST
@needs("booking.book")
def wait(request: PageRequest, offering_id: int) -> HttpResponseBase:
    """Wait for a slot of one of these days; who gets one has half an hour to confirm it."""
    row = selectors.bookable(request.actor, offering_id)
    where = slots.zone_named(row.place.time_zone)
    try:
        since, until = (_day(request, name) for name in ("since", "until"))
        draft = services.WaitDraft(
            row.pk,
            max(timezone.now(), calendar.instant(since, time(), where)),
            calendar.instant(until + timedelta(days=1), time(), where),
        )
        services.join(request.actor, draft)
    except Conflict as refusal:
        return _page(request, offering_id, FormState(problem=refusal.detail), 409)
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return _page(request, offering_id, FormState(request.POST.dict(), errors), 422)
    messages.success(request, _("You are on the waiting list. A notice tells you when a slot is held for you."))
    return redirect("booking:waiting")


def _day(request: PageRequest, name: str) -> date:
    try:
        found = date.fromisoformat(request.POST.get(name, ""))
    except ValueError as error:
        raise Invalid.one(name, _("Choose a day.")) from error
    if not 1970 < found.year < 2200:
        raise Invalid.one(name, _("Must be a day from 1970 to 2200."))
    return found
