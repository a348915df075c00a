"""Forms by which an office offers something: resources with their hours, offerings with their terms."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.forms import Field, Reader, cents, state
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.kernel.booking import policy, selectors, services
from shoufu.kernel.booking.models import Offering, Resource, Terms
from shoufu.kernel.places.models import Place

MOST_PLACES = 300
DEEPEST = ("district", "block", "compound", "building")


def _places(request: PageRequest) -> list[tuple[int, str]]:
    rows = Place.objects.filter(closed_at__isnull=True, kind__in=DEEPEST, path__startswith=request.scope.path)
    rows = limit(rows, request.actor, selectors.MANAGE, "path").order_by("path")
    return [(row.pk, row.label) for row in rows[:MOST_PLACES]]


def _weekdays() -> tuple[tuple[str, str], ...]:
    return (
        ("MO", _("Monday")), ("TU", _("Tuesday")), ("WE", _("Wednesday")), ("TH", _("Thursday")),
        ("FR", _("Friday")), ("SA", _("Saturday")), ("SU", _("Sunday")),
    )  # fmt: skip


def _hours() -> tuple[Field, ...]:
    return (
        Field("days", _("Weekdays"), "checks", _weekdays()),
        Field("opens", _("Opens at"), "time"),
        Field("closes", _("Closes at"), "time", hint=_("A closing time before the opening lies on the next day.")),
        Field("since", _("From"), "date"),
        Field("until", _("Before (optional)"), "date"),
    )


def _rule(sent: Reader) -> services.RuleDraft:
    days = [code for code, _name in _weekdays() if code in sent.several("days")]
    since, until = sent.day("since"), sent.day("until", needed=False)
    opens, closes = sent.clock("opens"), sent.clock("closes")
    sent.require("days", bool(days), _("Choose at least one day."))
    sent.check()
    recurrence = "FREQ=DAILY" if len(days) == 7 else f"FREQ=WEEKLY;BYDAY={','.join(days)}"
    return services.RuleDraft(recurrence, opens, closes, since, None if until == date.max else until)


def _names() -> tuple[Field, ...]:
    return (
        Field("code", _("Code"), hint=_("Short and lasting, such as court-1; programs know it by this."), maximum=64),
        Field("name", _("Name"), maximum=120),
        Field("name_en", _("Name in English"), maximum=120),
    )


def _form(request: PageRequest, title: str, fields: Any, form: FormState, back: str, status: int) -> HttpResponseBase:
    context = {"title": title, "fields": fields, "form": form, "back": back}
    return render(request, "booking/form.html", context, status=status)


@needs("booking.manage")
def new_resource(request: PageRequest) -> HttpResponseBase:
    """Add something that serves one booking at a time, with its first opening hours."""
    kinds = [kind for kind in Resource.Kind.choices if kind[0] != Resource.Kind.PERSON]
    place = Field("place", _("Where"), "select", _places(request))
    fields = (*_names(), Field("kind", _("Kind"), "select", kinds), place, *_hours())
    form, status = state(request, fields, opens="08:00", closes="21:00", since=date.today().isoformat(), days=[]), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _make_resource(request, Reader(form.values)))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("booking:resource", made.pk)
    return _form(request, _("New resource"), fields, form, "booking:resources", status)


def _make_resource(request: PageRequest, sent: Reader) -> Resource:
    place = sent.number("place")
    draft = services.ResourceDraft(
        sent.text("code"), sent.text("kind"), sent.text("name"), place, sent.text("name_en"), rules=[_rule(sent)]
    )
    return services.create_resources(request.actor, [draft])[0]


@needs("booking.manage")
def new_rule(request: PageRequest, resource_id: int) -> HttpResponseBase:
    """Add opening hours to a resource."""
    row = services.managed(request.actor, resource_id)
    fields = _hours()
    form, status = state(request, fields, since=date.today().isoformat(), days=[]), 200
    if request.method == "POST":
        made, status = tried(form, lambda: services.add_rule(request.actor, row.pk, _rule(Reader(form.values))))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("booking:resource", row.pk)
    return _form(request, _("More opening hours"), fields, form, "booking:resources", status)


@require_POST
@needs("booking.manage")
def remove_rule(request: PageRequest, rule_id: int) -> HttpResponseBase:
    """Take opening hours away; bookings that exist stay."""
    services.remove_rule(request.actor, rule_id)
    messages.success(request, _("Saved. Bookings that exist stay."))
    return redirect("booking:resources")


def _terms_fields() -> tuple[Field, ...]:
    return (
        Field("duration_minutes", _("Minutes of a booking"), "number"),
        Field("step_minutes", _("A booking may begin every … minutes"), "number"),
        Field("most_units", _("Longest booking, in times of that"), "number"),
        Field("capacity", _("Places of a slot"), "number", hint=_("1: the resource is taken whole.")),
        Field("price", _("Price"), hint=_("Of one unit and place, such as 20 or 20.50; 0 is free of charge.")),
        Field("lead_minutes", _("To be booked at least … minutes ahead"), "number"),
        Field("horizon_days", _("To be booked at most … days ahead"), "number"),
        Field("hold_minutes", _("Minutes to confirm"), "number"),
        Field("free_hours", _("Free to cancel until … hours before"), "number"),
        Field("late_percent", _("Later it costs … % of the price"), "number"),
        Field("no_show_percent", _("Not coming costs … % of the price"), "number"),
        Field("move_hours", _("May be moved until … hours before"), "number"),
    )


SPARE = {
    "duration_minutes": 60, "step_minutes": 60, "most_units": 1, "capacity": 1, "price": "0", "lead_minutes": 0,
    "horizon_days": 14, "hold_minutes": 10, "free_hours": 24, "late_percent": 100, "no_show_percent": 100,
    "move_hours": 2,
}  # fmt: skip


def _terms(sent: Reader) -> services.TermsDraft:
    whole: dict[str, Any] = {name: sent.number(name) for name in SPARE if name != "price"}
    price = cents(sent, "price")
    sent.check()
    rule = {
        "steps": [{"hours": whole.pop("free_hours"), "percent": 0}],
        "late_percent": whole.pop("late_percent"),
        "no_show_percent": whole.pop("no_show_percent"),
        "move_hours": whole.pop("move_hours"),
    }
    seconds = 60 * whole.pop("hold_minutes")
    return services.TermsDraft(**whole, hold_seconds=seconds, price=price, policy=rule)


@needs("booking.manage")
def new_offering(request: PageRequest) -> HttpResponseBase:
    """Offer something: what it takes, how long, for how much, by which rules."""
    rows = limit(Resource.objects.filter(retired_at__isnull=True), request.actor, selectors.MANAGE).order_by("name")
    rows = rows.exclude(kind=Resource.Kind.PERSON).filter(place__path__startswith=request.scope.path)
    fields = (
        *_names(),
        Field("place", _("Where"), "select", _places(request)),
        Field("resources", _("Takes one of"), "checks", [(str(row.pk), row.name) for row in rows[:MOST_PLACES]]),
        *_terms_fields(),
    )
    form, status = state(request, fields, resources=[], **SPARE), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _make_offering(request, Reader(form.values)))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("booking:offering", made.pk)
        form.errors = {("resources" if name == "requirements" else name): said for name, said in form.errors.items()}
    return _form(request, _("New offering"), fields, form, "booking:offerings", status)


def _make_offering(request: PageRequest, sent: Reader) -> Offering:
    place, terms = sent.number("place"), _terms(sent)
    chosen = [int(text) for text in sent.several("resources") if text.isdecimal()]
    needed = services.RequirementDraft(chosen, sent.text("name"), sent.text("name_en"))
    draft = services.OfferingDraft(
        sent.text("code"), place, sent.text("name"), terms, [needed] if chosen else [], sent.text("name_en")
    )
    return services.create_offering(request.actor, draft)


def _shown(terms: Terms) -> dict[str, Any]:
    """Terms as their form shows them. Of several steps of the policy, the form knows the free one."""
    rule = policy.read(terms.policy)
    free = next((step.hours for step in rule.steps if step.percent == 0), 0)
    kept = {name: getattr(terms, name) for name in SPARE if hasattr(terms, name)}
    return kept | {
        "price": f"{terms.price // 100}.{terms.price % 100:02d}",
        "hold_minutes": terms.hold_seconds // 60,
        "free_hours": free,
        "late_percent": rule.late_percent,
        "no_show_percent": rule.no_show_percent,
        "move_hours": rule.move_hours,
        "number": terms.number,
    }


@needs("booking.manage")
def terms(request: PageRequest, offering_id: int) -> HttpResponseBase:
    """New terms for new bookings."""
    row = selectors.offering(request.actor, offering_id)
    fields = _terms_fields()
    form, status = state(request, fields, **(_shown(row.current) if row.current is not None else SPARE)), 200
    if request.method == "POST":
        sent = Reader(form.values)
        made, status = tried(form, lambda: services.change_terms(request.actor, row.pk, _terms(sent), _number(sent)))
        if made is not None:
            messages.success(request, _("Saved. Bookings that exist keep their terms."))
            return redirect("booking:offering", row.pk)
    steps = len(policy.read(row.current.policy).steps) if row.current is not None else 0
    context = {
        "title": _("New terms"), "fields": fields, "form": form, "back": "booking:offerings", "several": steps > 1,
        "number": form.values.get("number", ""),
    }  # fmt: skip
    return render(request, "booking/form.html", context, status=status)


def _number(sent: Reader) -> int | None:
    text = str(sent.values.get("number", ""))
    return int(text) if text.isdecimal() else None


@require_POST
@needs("booking.manage")
def close(request: PageRequest, offering_id: int) -> HttpResponseBase:
    """Offer it no longer; bookings that exist stay."""
    services.close_offering(request.actor, offering_id)
    messages.success(request, _("It is no longer offered. Bookings that exist stay."))
    return redirect("booking:offerings")
