from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shoufu.kernel.access.policy import lent
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.kernel.booking import selectors as booking
from shoufu.scenes.homecare.register import codes, facts, national, selectors, services, words
from shoufu.scenes.homecare.register.eligibility import full_years, usable
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.register.pages import portraits

DAYS = {
    "MO": gettext_lazy("Mon"),
    "TU": gettext_lazy("Tue"),
    "WE": gettext_lazy("Wed"),
    "TH": gettext_lazy("Thu"),
    "FR": gettext_lazy("Fri"),
    "SA": gettext_lazy("Sat"),
    "SU": gettext_lazy("Sun"),
}


def _state(rows: Any, value: str) -> Any:
    now = timezone.localdate()
    narrowed: dict[str, dict[str, Any]] = {
        "usable": {"verified_at__isnull": False, "suspended_at__isnull": True, "licence_last_day__gte": now},
        "unverified": {"verified_at__isnull": True},
        "suspended": {"suspended_at__isnull": False},
        "lapsed": {"licence_last_day__lt": now},
    }
    return rows.filter(**narrowed.get(value, {"pk__in": []}))


@needs(selectors.VIEW)
def people(request: PageRequest) -> HttpResponseBase:
    """Who gives care, with what keeps somebody from being sent."""
    page = ListPage(
        title=_("Practitioners"),
        name="practitioners",
        row="homecare/register/practitioner_row.html",
        template="homecare/register/list.html",
        default_sort="name",
        empty=_("Nurses and others appear here when their institution registers them."),
        columns=(
            Column("name", _("Full name"), "person__name", lambda r: r.person.name),
            Column("title", _("Title"), "rank", lambda r: r.title),
            Column("skills", _("Skills"), "", lambda r: words.names(codes.Skill, r.skills)),
            Column("last_day", _("Licence until"), "licence_last_day", lambda r: r.licence_last_day),
            Column("state", _("State"), "", lambda r: r.suspended_at or r.verified_at or ""),
        ),
        filters=(
            Filter("name", _("Full name"), lambda rows, value: rows.filter(person__name__icontains=value)),
            Filter("skill", _("Skill"), lambda rows, value: rows.filter(skills__contains=[value]), codes.Skill.choices),
            Filter(
                "state",
                _("State"),
                _state,
                (
                    ("usable", _("May be sent")),
                    ("unverified", _("Not verified")),
                    ("suspended", _("Suspended")),
                    ("lapsed", _("Licence ended")),
                ),
            ),
        ),
    )
    rows = selectors.practitioners(request.actor).filter(institution__place__path__startswith=request.scope.path)
    manages = request.actor.may_anywhere(selectors.MANAGE)
    today = timezone.localdate()
    return answer(request, page, rows, tab="practitioners", today=today, add="practitioner-new" if manages else "")


def _fields(request: PageRequest) -> tuple[Field, ...]:
    offices = [(row.pk, row.label) for row in selectors.institutions(request.actor)]
    return (
        Field("institution", _("Institution"), "select", offices),
        Field("name", _("Full name"), maximum=80),
        Field("phone", _("Phone"), "tel", hint=_("As registered under “People”: name and phone must both fit.")),
        Field("profession", _("Profession"), "select", codes.Profession.choices),
        Field("rank", _("Title"), "select", codes.Rank.choices),
        Field("licence_number", _("Number of the licence"), maximum=64),
        Field("licence_last_day", _("Valid until (this day still counts)"), "date"),
        Field("clinical_since", _("Clinical work since"), "date"),
        Field("skills", _("Skills"), "checks", codes.Skill.choices),
        Field("longitude", _("Base: longitude (WGS-84)")),
        Field("latitude", _("Base: latitude (WGS-84)")),
        Field("radius", _("Goes as far as (m)"), "number"),
        Field("transport", _("Comes by"), "select", codes.Transport.choices),
    )


@needs(selectors.MANAGE)
def new(request: PageRequest) -> HttpResponse:
    """Register somebody who gives care."""
    fields = _fields(request)
    form, status = state(request, fields, profession="nurse", rank=2, radius=5000, transport="ebike"), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _add(request, form.values))
        if made is not None:
            messages.success(request, _("Saved. They are sent nowhere before their licence is verified."))
            return redirect("homecare:register:practitioner", made.pk)
    context = {"form": form, "fields": fields, "title": _("New practitioner"), "back": "practitioners"}
    return render(request, "homecare/register/form.html", context, status=status)


def _add(request: PageRequest, values: dict[str, Any]) -> Practitioner:
    sent = Reader(values)
    longitude, latitude = sent.decimal("longitude"), sent.decimal("latitude")
    office = sent.number("institution")
    draft = services.PractitionerDraft(
        sent.text("name"),
        sent.text("phone"),
        sent.text("profession"),
        sent.number("rank"),
        sent.text("licence_number"),
        sent.day("licence_last_day"),
        sent.day("clinical_since"),
        sent.several("skills"),
        (longitude, latitude) if longitude is not None and latitude is not None else None,
        sent.number("radius", 5000),
        sent.text("transport"),
    )
    sent.check()
    return services.add_practitioner(request.actor, office, draft)


@needs(selectors.VIEW)
def practitioner(request: PageRequest, practitioner_id: int) -> HttpResponse:
    """One who gives care: licence, skills, shifts and absences of the week, what keeps them from being sent."""
    found = selectors.practitioner(request.actor, practitioner_id)
    form, status = state(request, ()), 200
    if request.method == "POST":
        form.values["days"] = request.POST.getlist("days")
        done, status = tried(form, lambda: _change(request, found))
        if status == 200:
            messages.success(request, done or _("Saved."))
            return redirect("homecare:register:practitioner", found.pk)
    manages = request.actor.may(selectors.MANAGE, found.institution.place.path)
    today = selectors.day_at(found.institution.place)
    context = {
        "practitioner": found,
        "form": form,
        "manages": manages,
        "portrays": found.left_at is None and services.may_portray(request.actor, found),
        "reasons": [words.sentence(one) for one in usable(facts.practice(found), today)],
        "years": full_years(found.clinical_since, today),
        "rule": national.in_force(found.profession, today),
        "days": list(DAYS.items()),
        "rules": found.resource.rules.all() if found.resource is not None and manages else (),
        "week": _week(request, found) if manages and found.left_at is None else (),
    }
    return render(request, "homecare/register/practitioner.html", context, status=status)


def _week(request: PageRequest, row: Practitioner) -> list[booking.Day]:
    if row.resource is None:
        return []
    able = lent(request.actor, row.institution.place.path, "booking.view")
    today = selectors.day_at(row.institution.place)
    found = booking.resource(able, row.resource.pk)
    return booking.week(able, found, today - timedelta(days=today.weekday()))


def _change(request: PageRequest, row: Practitioner) -> str:
    sent, actor = Reader(request.POST.dict()), request.actor
    reason = request.POST.get("reason", "")
    match request.POST.get("act", ""):
        case "verify":
            services.verify(actor, row.pk, request.POST.get("source", ""))
        case "suspend":
            services.suspend(actor, row.pk, reason)
        case "resume":
            services.resume(actor, row.pk, reason)
        case "leave":
            services.depart(actor, row.pk, reason)
        case "shift":
            _shift(request, sent, row)
        case "unshift":
            services.remove_shift(actor, row.pk, sent.number("rule", 0))
        case "absence":
            return _absence(request, sent, row)
        case "portray":
            services.portray(actor, row.pk, portraits.sent(request))
        case "unportray":
            services.unportray(actor, row.pk)
        case _:
            kinds = "verify, suspend, resume, leave, shift, unshift, absence, portray, unportray"
            raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": kinds})
    return ""


def _shift(request: PageRequest, sent: Reader, row: Practitioner) -> None:
    days = [day for day in request.POST.getlist("days") if day in DAYS]
    if not days:
        raise Invalid.one("days", _("Choose at least one day."))
    opens, closes = sent.clock("opens"), sent.clock("closes")
    sent.check()
    draft = services.ShiftDraft(f"FREQ=WEEKLY;BYDAY={','.join(days)}", opens, closes)
    services.add_shift(request.actor, row.pk, draft)


def _absence(request: PageRequest, sent: Reader, row: Practitioner) -> str:
    starts, ends = sent.local("starts_at"), sent.local("ends_at")
    sent.check()
    where = ZoneInfo(row.institution.place.time_zone)
    begins = booking.moment(starts.isoformat(), where, "starts_at")
    stand = services.add_absence(request.actor, row.pk, begins, booking.moment(ends.isoformat(), where, "ends_at"))
    return _("Saved. %(count)s bookings stand in the way; move them.") % {"count": stand} if stand else ""
