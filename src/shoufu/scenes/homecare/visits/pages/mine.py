"""Pages of patients and who acts for them: book in four taps, pay, see who comes, move, cancel, rate."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.kernel.booking.services import Once
from shoufu.kernel.payments import providers
from shoufu.kernel.payments.models import Order, Provider
from shoufu.kernel.payments.pages.orders import pdf
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.models import Patient, ServiceVersion
from shoufu.scenes.homecare.visits import owing, selectors, services
from shoufu.scenes.homecare.visits.arrivals import arrival
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.pages import common

OPEN = (Visit.State.HELD, Visit.State.BOOKED, Visit.State.UNDERWAY)
MOST = 20


@needs(register.OWN)
def mine(request: PageRequest) -> HttpResponse:
    """The visits to come with who comes and when, those that were, and the way to book another."""
    people = list(register.own(request.actor))
    now = timezone.now()
    rows = selectors.brief(selectors.own(request.actor))
    coming = [(row, arrival(row, now)) for row in rows.filter(state__in=OPEN).order_by("starts_at")[:MOST]]
    past = rows.exclude(state__in=OPEN).select_related("quality_rating").order_by("-starts_at")[:MOST]
    return render(request, "homecare/visits/mine.html", {"people": people, "coming": coming, "past": list(past)})


@needs(register.OWN)
def choose(request: PageRequest, patient_id: int) -> HttpResponse:
    """First tap: the service, with what it is and what one pays."""
    patient = registry.own_patient(request.actor, patient_id)
    return render(request, "homecare/visits/choose.html", {"patient": patient, "offers": common.offers(patient)})


def _version(patient: Patient, service_id: int) -> ServiceVersion:
    found = [one for one in register.offered(patient.institution) if one.service_id == service_id]
    if not found:
        raise NotFound(_("There is no service %(id)s that you may see.") % {"id": service_id})
    return found[0]


@needs(register.OWN)
def times(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Second tap: a time that exists."""
    patient = registry.own_patient(request.actor, patient_id)
    version = _version(patient, service_id)
    rows = selectors.usable_prescriptions(patient, service_id, register.day_at(patient.place))
    usable = [one for one in rows if one.checked_at is not None] if version.needs_prescription else []
    picked = common.chosen_prescription(request) or (usable[0].pk if usable else None)
    since, until = common.window()
    form, found = FormState(), None
    found, status = tried(
        form,
        lambda: services.outlook(request.actor, patient.pk, service_id, since, until, prescription=picked, mine=True),
    )
    zone = patient.institution.place.time_zone
    context = {
        "patient": patient,
        "version": version,
        "days": common.by_day(found.slots if found is not None else [], zone),
        "outlook": found,
        "said": common.said(found),
        "zone": zone,
        "form": form,
        "prescriptions": usable,
        "picked": picked,
    }
    return render(request, "homecare/visits/times.html", context, status=status)


@needs(register.OWN)
def agree(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Third tap: agree to the consent, with who will come; then the time is held."""
    patient = registry.own_patient(request.actor, patient_id)
    zone = patient.institution.place.time_zone
    form, status = FormState(values=request.POST.dict()), 200
    draft, status = tried(form, lambda: common.draft_of(request, patient, _version(patient, service_id)))
    if draft is None:
        messages.error(request, _("Choose day and time."))
        return redirect("homecare:visits:my-times", patient_id, service_id)
    version = register.version_on(service_id, register.day_at(patient.institution.place, draft.start))
    if request.method == "POST":
        once = Once.of(request.POST.get("key", "")[:80], "book", {"draft": repr(draft)})
        visit, status = tried(form, lambda: services.book(request.actor, draft, mine=True, once=once))
        if visit is not None:
            return redirect("homecare:visits:my-pay", visit.pk)
    who: list[Any] = []
    if status == 200:
        who, status = tried(form, lambda: services.expected(request.actor, draft, mine=True))
    context = {
        "patient": patient,
        "version": version,
        "start": draft.start.astimezone(UTC),
        "prescription": draft.prescription,
        "zone": zone,
        "who": who or [],
        "form": form,
        "offer": common.offer_of(patient, version) if version is not None else None,
    }
    return render(request, "homecare/visits/agree.html", context, status=status)


def _online() -> list[str]:
    return [code for code in providers.configured() if code != Provider.OFFLINE]


@needs(register.OWN)
def pay(request: PageRequest, visit_id: int) -> HttpResponse:
    """Fourth tap: pay by phone, or when somebody comes."""
    form, status = FormState(), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _pay(request, visit_id))
        if isinstance(done, Visit):
            return redirect("homecare:visits:my-visit", visit_id)
        if done is not None:
            return redirect("homecare:visits:my-pay", visit_id)
    visit = selectors.visit(request.actor, visit_id, mine=True)
    if not owing.payable(visit) and status == 200:
        return redirect("homecare:visits:my-visit", visit_id)
    running = visit.order.payments.filter(state="started") if visit.order is not None else ()
    context = {
        "visit": visit,
        "zone": visit.institution.place.time_zone,
        "online": _online(),
        "at_visit": services.rules_of(visit.institution).pay_at_visit and visit.state == Visit.State.HELD,
        "codes": [one for one in running if one.code_valid],
        "form": form,
    }
    return render(request, "homecare/visits/pay.html", context, status=status)


def _pay(request: PageRequest, visit_id: int) -> Any:
    if request.POST.get("provider", "") == "at_visit":
        return services.pay_at_visit(request.actor, visit_id, mine=True)
    return services.pay_online(request.actor, visit_id, request.POST.get("provider", ""), mine=True)


@needs(register.OWN)
def paid(request: PageRequest, visit_id: int) -> HttpResponse:
    """Asked by the page of the code until the money came: then it goes on by itself."""
    visit = selectors.visit(request.actor, visit_id, mine=True)
    order = visit.order
    asked = visit.state == Visit.State.HELD or (order is not None and order.payments.filter(state="started").exists())
    waiting = asked and order is not None and order.state == Order.State.PENDING
    answer = HttpResponse(_("Waiting for the payment …") if waiting else _("Done."))
    if not waiting:
        answer["HX-Redirect"] = reverse("homecare:visits:my-visit", args=[visit_id])
    return answer


@needs(register.OWN)
def visit(request: PageRequest, visit_id: int) -> HttpResponse:
    """A visit: who comes when, what it costs, what can be done about it."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, visit_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:visits:my-visit", visit_id)
    row = selectors.visit(request.actor, visit_id, mine=True)
    live = row.state in (Visit.State.HELD, Visit.State.BOOKED)
    cost = services.cost(request.actor, visit_id, mine=True) if live and row.booking is not None else None
    context = {
        "visit": row,
        "zone": row.institution.place.time_zone,
        "arrival": arrival(row, timezone.now()),
        "cost": cost,
        "note": services.note(request.actor, visit_id, mine=True),
        "rating": getattr(row, "quality_rating", None),
        "form": form,
        "payable": owing.payable(row),
        "now": timezone.now(),
    }
    return render(request, "homecare/visits/visit.html", context, status=status)


def _act(request: PageRequest, visit_id: int) -> Any:
    if request.POST.get("act", "") == "cancel":
        return services.cancel(request.actor, visit_id, mine=True)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "cancel"})


@needs(register.OWN)
def move(request: PageRequest, visit_id: int) -> HttpResponse:
    """Another time for a visit, of those that exist."""
    row = selectors.visit(request.actor, visit_id, mine=True)
    zone = row.institution.place.time_zone
    form, status = FormState(), 200
    if request.method == "POST":
        done, status = tried(
            form, lambda: services.move(request.actor, visit_id, common.chosen_time(request, zone), mine=True)
        )
        if done is not None:
            messages.success(request, _("Moved."))
            return redirect("homecare:visits:my-visit", visit_id)
    since, until = common.window()
    found, asked = tried(form, lambda: services.outlook_to_move(request.actor, visit_id, since, until, mine=True))
    context = {
        "visit": row,
        "version": row.version,
        "zone": zone,
        "days": common.by_day(found.slots if found is not None else [], zone),
        "outlook": found,
        "said": common.said(found),
        "form": form,
    }
    return render(request, "homecare/visits/move.html", context, status=max(status, asked))


@needs(register.OWN)
def receipt(request: PageRequest, visit_id: int) -> HttpResponse:
    """The receipt as PDF."""
    return pdf(*services.receipt(request.actor, visit_id, mine=True))


def prescription_fields() -> tuple[Field, ...]:
    return (
        Field("drug", _("Drug or treatment")),
        Field("dose", _("Dose and how often")),
        Field("route", _("How it is given")),
        Field("prescriber", _("Prescribed by")),
        Field("hospital", _("Hospital")),
        Field("issued_on", _("Issued on"), "date"),
        Field("last_day", _("Valid until"), "date"),
        Field("uses", _("For how many visits"), "number", maximum=3),
    )


def prescription_draft(values: dict[str, Any], patient: int, service: int) -> services.PrescriptionDraft:
    """What was typed; Invalid names what is no day or number."""
    sent = Reader(values)
    issued, last, uses = sent.day("issued_on"), sent.day("last_day"), sent.number("uses", 1)
    sent.check()
    texts = {name: sent.text(name) for name in ("drug", "dose", "route", "prescriber", "hospital")}
    return services.PrescriptionDraft(patient, service, issued, last, uses=uses, **texts)


@needs(register.OWN)
def prescribe(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """A prescription as it stands on paper; a nurse checks the original."""
    patient = registry.own_patient(request.actor, patient_id)
    version = _version(patient, service_id)
    fields = prescription_fields()
    form, status = state(request, fields, uses=1, issued_on=register.day_at(patient.place).isoformat()), 200
    if request.method == "POST":
        add: Callable[[], Any] = lambda: services.add_prescription(  # noqa: E731
            request.actor, prescription_draft(form.values, patient.pk, service_id), mine=True
        )
        done, status = tried(form, add)
        if done is not None:
            messages.success(request, _("Saved. It counts once a nurse or the coordinator has seen the original."))
            return redirect("homecare:visits:my-choose", patient_id)
    context = {"form": form, "fields": fields, "patient": patient, "version": version}
    return render(request, "homecare/visits/prescribe.html", context, status=status)


@require_POST
@needs(register.OWN)
def assess(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Begin the assessment that a service needs; the questionnaire follows."""
    from shoufu.scenes.homecare.assessment import services as assessment

    form = FormState()
    made, _status = tried(form, lambda: assessment.begin(request.actor, patient_id, service_id, mine=True))
    first = made.responses.order_by("pk").first() if made is not None else None
    if first is None:
        if form.problem:
            messages.error(request, form.problem)
        return redirect("homecare:assessment:mine")
    return redirect("homecare:assessment:my-fill", first.pk)
