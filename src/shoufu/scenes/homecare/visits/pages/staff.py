"""Pages of coordinators and nurses: every visit, booking by phone, prescriptions to check, what can be booked."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.kernel.payments.models import Order
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import selectors, services
from shoufu.scenes.homecare.visits.arrivals import arrival
from shoufu.scenes.homecare.visits.models import Prescription, Visit
from shoufu.scenes.homecare.visits.pages import common
from shoufu.scenes.homecare.visits.pages.mine import prescription_draft, prescription_fields

State = Visit.State


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _on(rows: QuerySet[Visit], text: str) -> QuerySet[Visit]:
    day = _day(text)
    return rows.filter(day=day) if day is not None else rows.none()


def _marked(rows: QuerySet[Visit], value: str) -> QuerySet[Visit]:
    if value == "blocked":
        return rows.exclude(blocked=[]).filter(state=State.BOOKED)
    unpaid = rows.filter(order__state=Order.State.PENDING)
    open_ = Q(state__in=(State.BOOKED, State.UNDERWAY, State.DONE, State.MISSED))
    charged = Q(state=State.CANCELLED, first_order__isnull=False)
    return unpaid.filter(open_ | charged) if value == "unpaid" else rows


def _nurses(row: Visit) -> str:
    return ", ".join(stop.practitioner.person.name for stop in row.stops.all())


def _order(row: Visit) -> str:
    return str(row.order.get_state_display()) if row.order is not None else ""


@needs(register.VIEW)
def visits(request: PageRequest) -> HttpResponseBase:
    """Visits to the patients whom one cares for, and those to which one is sent."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    page = ListPage(
        title=_("Home visits"),
        name="visits",
        row="homecare/visits/row.html",
        template="homecare/visits/list.html",
        default_sort="-when",
        wide=True,
        empty=_("Visits appear here when patients book them, or you do on a patient's page."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("when", _("When"), "starts_at", lambda r: r.starts_at),
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("service", _("Service"), "version__name", lambda r: r.version.label),
            Column("nurse", _("Who comes"), "", _nurses),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("order", _("Payment"), "order__state", _order),
        ),
        filters=(
            Filter("day", _("Day (2026-12-01)"), _on),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), State.choices),
            Filter(
                "mark",
                _("To be looked at"),
                _marked,
                (("blocked", _("Cannot take place as booked")), ("unpaid", _("Not paid yet"))),
            ),
            Filter("patient", _("Patient"), lambda rows, value: rows.filter(patient__person__name__icontains=value)),
            Filter(
                "nurse",
                _("Who comes"),
                lambda rows, value: rows.filter(pk__in=selectors.stops_by(value).values("visit")),
            ),
        ),
    )
    rows = selectors.brief(selectors.visits(request.actor)).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="visits")


@needs(register.VIEW)
def visit(request: PageRequest, visit_id: int) -> HttpResponse:
    """A visit with its history: who comes, the money, what can be done."""
    form, status, note = FormState(values=request.POST.dict()), 200, None
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, visit_id))
        if isinstance(done, str):
            note = done or _("Nothing was written.")
        elif done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:visits:visit", visit_id)
    row = selectors.visit(request.actor, visit_id)
    live = row.state in (State.HELD, State.BOOKED) and row.booking is not None
    coordinates = request.actor.may(register.PATIENTS, row.place.path)
    mine = row.stops.filter(practitioner__in=register.practices(request.actor).values("pk")).exists()
    context = {
        "visit": row,
        "zone": row.institution.place.time_zone,
        "arrival": arrival(row, timezone.now()),
        "events": list(row.events.select_related("user").order_by("at", "pk")),
        "objections": services.check_before(row, max(timezone.now(), row.starts_at)) if live else [],
        "cost": services.cost(request.actor, visit_id) if live and coordinates else None,
        "coordinates": coordinates,
        "cash": (coordinates or mine) and row.order is not None and row.order.state == Order.State.PENDING,
        "note": note,
        "form": form,
        "tab": "visits",
    }
    return render(request, "homecare/visits/detail.html", context, status=status)


def _act(request: PageRequest, visit_id: int) -> Any:
    act, sent = request.POST.get("act", ""), Reader(request.POST.dict())
    if act == "note":
        return services.note(request.actor, visit_id)
    if act == "cancel":
        wish = request.POST.get("by_patient") == "on"
        return services.cancel(request.actor, visit_id, sent.text("reason"), by_patient=wish)
    if act == "cash":
        return services.confirm_cash(request.actor, visit_id, sent.text("reference"))
    if act == "later":
        return services.pay_at_visit(request.actor, visit_id)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "note, cancel, cash, later"})


@needs(register.PATIENTS)
def move(request: PageRequest, visit_id: int) -> HttpResponse:
    """Another time for a visit."""
    row = selectors.visit(request.actor, visit_id)
    zone = row.institution.place.time_zone
    form, status = FormState(), 200
    if request.method == "POST":
        done, status = tried(form, lambda: services.move(request.actor, visit_id, common.chosen_time(request, zone)))
        if done is not None:
            messages.success(request, _("Moved."))
            return redirect("homecare:visits:visit", visit_id)
    since, until = common.window()
    found, asked = tried(form, lambda: services.outlook_to_move(request.actor, visit_id, since, until))
    context = {
        "visit": row,
        "zone": zone,
        "days": common.by_day(found.slots if found is not None else [], zone),
        "said": common.said(found),
        "form": form,
        "tab": "visits",
    }
    return render(request, "homecare/visits/desk_move.html", context, status=max(status, asked))


@needs(register.PATIENTS)
def book(request: PageRequest, patient_id: int) -> HttpResponse:
    """Book for a patient who calls: the service, then a time that exists, with the consent read to them."""
    patient = register.patient(request.actor, patient_id)
    offers = common.offers(patient)
    text = request.GET.get("service", "") or request.POST.get("service", "")
    picked = next((one for one in offers if str(one.version.service_id) == text), None)
    usable = [one for one in picked.prescriptions if one.checked_at is not None] if picked is not None else []
    prescription = common.chosen_prescription(request) or (usable[0].pk if usable else None)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST" and picked is not None:
        made, status = tried(
            form, lambda: services.book(request.actor, common.draft_of(request, patient, picked.version))
        )
        if made is not None:
            messages.success(request, _("Held: say how it is paid."))
            return redirect("homecare:visits:visit", made.pk)
    since, until = common.window()
    found: Any = None
    if picked is not None and not picked.needs:
        found, asked = tried(
            form,
            lambda: services.outlook(
                request.actor, patient.pk, picked.version.service_id, since, until, prescription=prescription
            ),
        )
        status = max(status, asked)
    zone = patient.institution.place.time_zone
    context = {
        "patient": patient,
        "offers": offers,
        "picked": picked,
        "prescription": prescription,
        "days": common.by_day(found.slots if found is not None else [], zone),
        "said": common.said(found),
        "zone": zone,
        "form": form,
        "tab": "visits",
    }
    return render(request, "homecare/visits/desk_book.html", context, status=status)


def _checked(rows: QuerySet[Prescription], value: str) -> QuerySet[Prescription]:
    if value == "open":
        return rows.filter(checked_at__isnull=True, revoked_at__isnull=True)
    return rows.filter(revoked_at__isnull=False) if value == "revoked" else rows.filter(checked_at__isnull=False)


@needs(register.VIEW)
def prescriptions(request: PageRequest) -> HttpResponseBase:
    """Prescriptions of the patients whom one cares for; nothing of what is written in them."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    page = ListPage(
        title=_("Prescriptions"),
        name="prescriptions",
        row="homecare/visits/prescription_row.html",
        template="homecare/visits/list.html",
        default_sort="-made",
        empty=_("Patients and staff write prescriptions down; here the originals are checked."),
        columns=(
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("service", _("Service"), "service__code", lambda r: r.service.code),
            Column("issued", _("Issued on"), "issued_on", lambda r: r.issued_on),
            Column("last", _("Valid until"), "last_day", lambda r: r.last_day),
            Column("uses", _("For how many visits"), "uses", lambda r: r.uses, "num"),
            Column("made", _("Written down"), "made_at", lambda r: r.made_at),
            Column("checked", _("Original checked"), "checked_at", lambda r: r.checked_at),
        ),
        filters=(
            Filter(
                "state",
                _("State"),
                _checked,
                (("open", _("To check")), ("checked", _("Checked")), ("revoked", _("Prescription revoked"))),
            ),
            Filter("patient", _("Patient"), lambda rows, value: rows.filter(patient__person__name__icontains=value)),
        ),
    )
    rows = selectors.prescriptions(request.actor).filter(patient__place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="prescriptions")


@needs(register.VIEW)
def prescription(request: PageRequest, prescription_id: int) -> HttpResponse:
    """One prescription. What is written is shown after a recorded look; then the original is checked or it is
    revoked."""
    form, status, written = FormState(values=request.POST.dict()), 200, None
    if request.method == "POST":
        done, status = tried(form, lambda: _judge(request, prescription_id))
        if isinstance(done, services.Written):
            written = done
        elif done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:visits:prescription", prescription_id)
    row = selectors.prescription(request.actor, prescription_id)
    context = {"row": row, "written": written, "form": form, "tab": "prescriptions"}
    return render(request, "homecare/visits/prescription.html", context, status=status)


def _judge(request: PageRequest, prescription_id: int) -> Any:
    act = request.POST.get("act", "")
    if act == "look":
        return services.look_at(request.actor, prescription_id)
    if act == "check":
        return services.check_prescription(request.actor, prescription_id)
    if act == "revoke":
        return services.revoke_prescription(request.actor, prescription_id, request.POST.get("reason", ""))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "look, check, revoke"})


@needs(register.VIEW)
def new_prescription(request: PageRequest, patient_id: int) -> HttpResponse:
    """Write down a patient's prescription."""
    patient = register.patient(request.actor, patient_id)
    wanting = [one for one in register.offered(patient.institution) if one.needs_prescription]
    head = Field("service", _("Service"), "select", [(one.service_id, one.label) for one in wanting])
    fields = (head, *prescription_fields())
    form, status = state(request, fields, uses=1, issued_on=register.day_at(patient.place).isoformat()), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _written(request, patient.pk, form.values))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:visits:prescription", made.pk)
    title = _("Prescription for %(name)s") % {"name": patient.person.name}
    context = {"form": form, "fields": fields, "title": title, "tab": "prescriptions"}
    return render(request, "homecare/visits/form.html", context, status=status)


def _written(request: PageRequest, patient_id: int, values: dict[str, Any]) -> Prescription:
    sent = Reader(values)
    service = sent.number("service")
    sent.check()
    return services.add_prescription(request.actor, prescription_draft(values, patient_id, service))


@require_POST
@needs(register.MANAGE)
def bookable(request: PageRequest, service_id: int) -> HttpResponse:
    """Open a service for booking, or close it."""
    form = FormState()
    if request.POST.get("act") == "close":
        _done, status = tried(form, lambda: services.close_for_booking(request.actor, service_id))
    else:
        _done, status = tried(form, lambda: services.open_for_booking(request.actor, service_id))
    if status == 200:
        messages.success(request, _("Saved."))
    else:
        messages.error(request, form.problem or " ".join(form.errors.values()))
    return redirect("homecare:register:service", service_id)


@needs(register.MANAGE)
def rules(request: PageRequest, institution_id: int) -> HttpResponse:
    """How an institution's visits are booked, paid and cancelled."""
    office = register.institution(request.actor, institution_id)
    row = services.rules_of(office)
    fields = (
        Field("step_minutes", _("Minutes between two times"), "number"),
        Field("lead_minutes", _("Minutes before the begin, at least"), "number"),
        Field("horizon_days", _("Days ahead, at most"), "number"),
        Field("hold_minutes", _("Minutes that a time is held for its payment"), "number"),
        Field("pay_at_visit", _("May be paid in cash or by transfer when somebody comes"), "check"),
        Field("free_hours", _("Cancelling is free until so many hours before"), "number"),
        Field("half_hours", _("Then costs this part until so many hours before"), "number"),
        Field("half_percent", _("That part in per cent"), "number"),
        Field("late_percent", _("Cancelling later costs, in per cent"), "number"),
        Field("no_show_percent", _("Nobody at home costs, in per cent"), "number"),
        Field("move_hours", _("Patients may move it until so many hours before"), "number"),
    )
    form, status = state(request, fields, **_rule_values(row)), 200
    if request.method == "POST":
        done, status = tried(form, lambda: services.set_rules(request.actor, office.pk, _rules(form.values)))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:visits:rules", office.pk)
    title = _("Booking at %(office)s") % {"office": office.label}
    return render(request, "homecare/visits/form.html", {"form": form, "fields": fields, "title": title}, status=status)


def _rule_values(row: Any) -> dict[str, Any]:
    steps = row.policy.get("steps", []) + [{"hours": 0, "percent": 0}] * 2
    return {
        "step_minutes": row.step_minutes,
        "lead_minutes": row.lead_minutes,
        "horizon_days": row.horizon_days,
        "hold_minutes": row.hold_seconds // 60,
        "pay_at_visit": row.pay_at_visit,
        "free_hours": steps[0]["hours"],
        "half_hours": steps[1]["hours"],
        "half_percent": steps[1]["percent"],
        "late_percent": row.policy.get("late_percent", 100),
        "no_show_percent": row.policy.get("no_show_percent", 100),
        "move_hours": row.policy.get("move_hours", 0),
    }


def _rules(values: dict[str, Any]) -> services.RulesDraft:
    sent = Reader(values)
    names = (
        "step_minutes", "lead_minutes", "horizon_days", "hold_minutes", "free_hours", "half_hours", "half_percent",
        "late_percent", "no_show_percent", "move_hours",
    )  # fmt: skip
    read = {name: sent.number(name) for name in names}
    sent.check()
    steps = [{"hours": read["free_hours"], "percent": 0}]
    if read["half_hours"] < read["free_hours"]:
        steps.append({"hours": read["half_hours"], "percent": read["half_percent"]})
    rest = {name: read[name] for name in ("late_percent", "no_show_percent", "move_hours")}
    return services.RulesDraft(
        read["step_minutes"], read["lead_minutes"], read["horizon_days"], read["hold_minutes"] * 60,
        bool(values.get("pay_at_visit")), {"steps": steps, **rest},
    )  # fmt: skip
