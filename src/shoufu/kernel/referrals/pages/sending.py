from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, public
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.referrals import selectors, services
from shoufu.kernel.referrals.messages import contact_of, exact_place
from shoufu.kernel.referrals.models import Referral
from shoufu.kernel.referrals.services.sending import Draft
from shoufu.kernel.referrals.terms import read_terms


def _state(rows: QuerySet[Referral], value: str) -> QuerySet[Referral]:
    return rows.filter(state__in=Referral.OPEN if value == "open" else value.split(","))


def _text(rows: QuerySet[Referral], value: str) -> QuerySet[Referral]:
    return rows.filter(number__icontains=value) | rows.filter(case__title__icontains=value)


def list_page() -> ListPage:
    """The list of referrals, in the reader's language."""
    return ListPage(
        title=_("Referrals"),
        name="referrals",
        row="referrals/row.html",
        template="referrals/list.html",
        default_sort="-sent",
        empty=_("Cases that were sent to the alarm centre appear here. Send one from the case itself."),
        columns=(
            Column("number", _("Referral"), "number", lambda r: r.number),
            Column("case", _("Case"), csv=lambda r: r.case.number),
            Column("to", _("Referred to"), "destination__name", lambda r: r.destination.name),
            Column("sent", _("Sent"), "sent_at", lambda r: timezone.localtime(r.sent_at).isoformat()),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("handled", _("Handled by"), csv=lambda r: r.handled_by),
            Column("outcome", _("Outcome"), csv=lambda r: r.outcome_text),
        ),
        filters=(
            Filter("state", _("State"), _state, [("open", _("Open ones")), *Referral.State.choices]),
            Filter("text", _("Number or words"), _text),
        ),
    )


@needs("referrals.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Referrals of the scope: filters in the address, sort, page, CSV."""
    rows = selectors.visible(request.actor).filter(case__place__path__startswith=request.scope.path)
    return answer(request, list_page(), rows)


def _detail(request: PageRequest, referral_id: int, form: FormState | None = None, status: int = 200) -> Any:
    referral = selectors.get(request.actor, referral_id)
    context = {
        "referral": referral,
        "contact": contact_of(referral),
        "place": exact_place(referral.case.place, english=request.actor.language == "en"),
        "sent": selectors.messages_of(request.actor, referral),
        "lines": referral.lines.all(),
        "open": referral.state in Referral.OPEN and request.actor.may("referrals.send", referral.case.place.path),
        "form": form or FormState(),
    }
    return render(request, "referrals/detail.html", context, status=status)


@needs("referrals.view")
def detail(request: PageRequest, referral_id: int) -> HttpResponseBase:
    """One referral: what was sent, what came back. An officer's link leads to the console."""
    return _detail(request, referral_id)


@require_POST
@needs("referrals.send")
def withdraw(request: PageRequest, referral_id: int) -> HttpResponseBase:
    """Take a referral back."""
    try:
        services.withdraw(request.actor, referral_id, request.POST.get("reason", ""))
    except Invalid as refusal:
        return _detail(request, referral_id, _form(request, refusal), 422)
    return redirect("referrals:detail", referral_id)


def _form(request: PageRequest, refusal: Invalid) -> FormState:
    errors = {error.field: str(error.message) for error in refusal.errors}
    return FormState(values=request.POST.dict(), errors=errors)


@needs("referrals.send")
def refer(request: PageRequest, case_id: int) -> HttpResponseBase:
    """Send a case to another organisation: to whom, why, whom to call."""
    case = cases.get(request.actor, case_id)
    serving = selectors.serving(case.place)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        chosen = request.POST.get("destination", "")
        draft = Draft(
            case_id,
            int(chosen) if chosen.isdigit() else 0,
            request.POST.get("reason", ""),
            request.POST.get("contact", ""),
            exercise="exercise" in request.POST,
        )
        try:
            made = services.refer(request.actor, draft)
        except Invalid as refusal:
            form, status = _form(request, refusal), 422
        except Conflict as refusal:
            form.problem, status = refusal.detail, 409
        else:
            messages.success(request, _("Sent to %(name)s as %(number)s.") % _names(made))
            return redirect("cases:detail", case_id)
    elif serving:
        form.values["contact"] = read_terms(serving[0].policy).contact
    context = {
        "case": case,
        "destinations": serving,
        "form": form,
        "place": exact_place(case.place, english=request.actor.language == "en"),
    }
    return render(request, "referrals/refer.html", context, status=status)


def _names(referral: Referral) -> dict[str, str]:
    return {"name": referral.destination.name, "number": referral.number}


@csrf_exempt
@public
@require_POST
def callback(request: HttpRequest, code: str) -> HttpResponseBase:
    """A signed message of a destination about a case that it was sent (Standard Webhooks); see docs/operations.md."""
    return JsonResponse(
        services.take_callback(code, request.body, request.headers.get("Content-Type", ""), request.headers)
    )
