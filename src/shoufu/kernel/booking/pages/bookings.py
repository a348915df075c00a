from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.booking import policy, selectors, services, slots
from shoufu.kernel.booking.models import Booking, WaitingEntry

MOST_DIGITS = 12


def _state(rows: QuerySet[Booking], value: str) -> QuerySet[Booking]:
    return rows.filter(state__in=Booking.LIVE if value == "open" else value.split(","))


def _day(rows: QuerySet[Booking], value: str) -> QuerySet[Booking]:
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Invalid.one("day", _("Write a day like 2026-11-23.")) from error
    return rows.filter(starts_at__date=day)


def _text(rows: QuerySet[Booking], value: str) -> QuerySet[Booking]:
    digits = value.upper().removeprefix("B-").lstrip("0")
    by_number = Q(pk=int(digits)) if digits.isdecimal() and len(digits) <= MOST_DIGITS else Q(pk__in=[])
    return rows.filter(by_number | Q(offering__name__icontains=value) | Q(offering__name_en__icontains=value))


def list_page(*, office: bool) -> ListPage:
    """The list of bookings, in the reader's language."""
    return ListPage(
        title=_("Bookings"),
        name="bookings",
        row="booking/row.html",
        template="booking/list.html",
        default_sort="-start",
        empty=_("Nothing is booked. Choose an offering and hold a slot of it."),
        columns=(
            Column("number", _("Booking"), "pk", lambda b: b.number),
            Column("offering", _("Offering"), "offering__name", lambda b: b.offering.name),
            Column("start", _("Begins at"), "starts_at", lambda b: timezone.localtime(b.starts_at).isoformat()),
            Column("end", _("Ends at"), csv=lambda b: timezone.localtime(b.ends_at).isoformat()),
            Column("state", _("State"), "state", lambda b: b.get_state_display()),
            Column("who", _("For"), csv=lambda b: b.user.label if b.user else ""),
            Column("charge", _("Charge"), "charge", lambda b: b.charge),
        ),
        filters=(
            Filter("state", _("State"), _state, [("open", _("Open ones")), *Booking.State.choices]),
            Filter("day", _("Day (2026-11-23)"), _day),
            Filter("text", _("Number or words"), _text),
        ),
        bulk=(Bulk(_("Cancel"), reverse("booking:cancel-many"), "x", _("Why")),) if office else (),
    )


@needs("booking.book")
def listing(request: PageRequest) -> HttpResponseBase:
    """Bookings of the scope, and one's own: filters in the address, sort, page, CSV."""
    rows = selectors.bookings(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, list_page(office=request.actor.may_anywhere("booking.handle")), rows)


def _page(request: PageRequest, booking_id: int, form: FormState | None = None, status: int = 200) -> HttpResponseBase:
    row = selectors.booking(request.actor, booking_id)
    timezone.activate(slots.zone_named(row.place.time_zone))
    now, own = timezone.now(), selectors.is_own(request.actor, row)
    office = request.actor.may("booking.handle", row.place.path)
    charge = policy.of_cancelling(row, now, by_office=not own) if row.state in Booking.LIVE else None
    begun = row.starts_at <= now
    may = own or office
    context = {
        "booking": row,
        "lines": selectors.history(request.actor, row),
        "resources": selectors.taken_by(request.actor, row),
        "price": policy.price(row),
        "charge": charge,
        "charge_words": policy.words(charge) if charge else "",
        "may_confirm": may and row.state == Booking.State.HELD and (row.held_until or now) > now,
        "may_cancel": may and row.state in Booking.LIVE and not begun,
        "may_complete": office and begun and row.state in (Booking.State.CONFIRMED, Booking.State.NO_SHOW),
        "may_no_show": office and begun and (row.state == Booking.State.CONFIRMED or services.closed_by_clock(row)),
        "form": form or FormState(),
    }
    return render(request, "booking/detail.html", context, status=status)


@needs("booking.book")
def detail(request: PageRequest, booking_id: int) -> HttpResponseBase:
    """One booking with its history, and what can be done with it."""
    return _page(request, booking_id)


@require_POST
@needs("booking.book")
def act(request: PageRequest, booking_id: int, name: str) -> HttpResponseBase:
    """Confirm, move, cancel, complete, not come; refusals stand on the page."""
    version = int(request.POST["version"]) if request.POST.get("version", "").isdecimal() else None
    try:
        _do(request, booking_id, name, version)
    except Conflict as refusal:
        return _page(request, booking_id, FormState(request.POST.dict(), problem=refusal.detail), 409)
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return _page(request, booking_id, FormState(request.POST.dict(), errors), 422)
    messages.success(request, _("Saved."))
    return redirect("booking:detail", booking_id)


def _do(request: PageRequest, booking_id: int, name: str, version: int | None) -> Any:
    steps = {"confirm": services.confirm, "complete": services.complete, "no-show": services.no_show}
    if name in steps:
        return steps[name](request.actor, booking_id, version)
    if name == "cancel":
        return services.cancel(request.actor, booking_id, version, reason=request.POST.get("reason", ""))
    if name == "move":
        row = selectors.booking(request.actor, booking_id)
        start = selectors.moment(request.POST.get("start", ""), slots.zone_named(row.place.time_zone))
        return services.reschedule(request.actor, booking_id, services.Move(start, version=version))
    raise NotFound(_("There is no such action."))


@require_POST
@needs("booking.handle")
def cancel_many(request: PageRequest) -> HttpResponseBase:
    """Cancel the picked bookings, as the office."""
    ids = [int(text) for text in request.POST.getlist("ids") if text.isdecimal() and len(text) <= MOST_DIGITS]
    count = services.cancel_many(request.actor, ids, reason=request.POST.get("reason", ""))
    messages.success(request, _("%(count)s bookings cancelled.") % {"count": count})
    return redirect("booking:list")


@needs("booking.book")
def waiting(request: PageRequest) -> HttpResponseBase:
    """Who waits for which slots, first come first served."""
    page = ListPage(
        title=_("Waiting list"),
        name="waiting",
        row="booking/waiting_row.html",
        template="booking/waiting.html",
        default_sort="made",
        empty=_("Nobody waits. Where an offering has no free slot, one can wait for it."),
        columns=(
            Column("offering", _("Offering"), "offering__name", lambda w: w.offering.name),
            Column("since", _("From"), "since", lambda w: w.since.isoformat()),
            Column("until", _("To"), "until", lambda w: w.until.isoformat()),
            Column("state", _("State"), "state", lambda w: w.get_state_display()),
            Column("who", _("For"), csv=lambda w: w.user.label),
            Column("made", _("Since"), "made_at", lambda w: w.made_at.isoformat()),
        ),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), WaitingEntry.State.choices),
        ),
    )
    rows = selectors.waiting(request.actor).filter(offering__place__path__startswith=request.scope.path)
    return answer(request, page, rows)


@require_POST
@needs("booking.book")
def withdraw(request: PageRequest, waiting_entry_id: int) -> HttpResponseBase:
    """Wait no longer."""
    services.withdraw(request.actor, waiting_entry_id)
    return redirect("booking:waiting")
