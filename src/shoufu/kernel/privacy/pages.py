from datetime import datetime
from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.errors import Invalid, Problem
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations, deposits, erasure, exports, register, selectors, services
from shoufu.kernel.privacy.models import DataRequest
from shoufu.kernel.privacy.selectors import MANAGE, OWN
from shoufu.kernel.privacy.services import GrantDraft


def _whom(request: PageRequest) -> int | None:
    """The person of `?person=`; oneself without it."""
    text = request.POST.get("person") or request.GET.get("person") or ""
    if text and not text.isdigit():
        raise Invalid.one("person", _("Must be a number."))
    return int(text) if text else None


def _number(request: PageRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isdigit():
        raise Invalid.one(name, _("Must be a number."))
    return int(text)


def _frame(request: PageRequest, tab: str, person: Person, scope: str) -> dict[str, Any]:
    """What every page about a person needs: who it is, and for whom else the reader may look."""
    me = selectors.myself(request.actor)
    own = me is not None and me.pk == person.pk
    return {
        "tab": tab,
        "person": person,
        "own": own,
        "others": selectors.acts_for(request.actor, scope),
        "which": "" if own else f"?person={person.pk}",
    }


def _english() -> bool:
    return (get_language() or "").startswith("en")


@require_safe
@needs(OWN)
def home(request: PageRequest) -> HttpResponse:
    """My data: where I stand, in a few lines, and the ways to everything else."""
    person = selectors.subject(request.actor, _whom(request), "data.view")
    context = _frame(request, "home", person, "data.view")
    if context["own"]:
        context["looks"] = [line for line in selectors.looks(request.actor) if not line.mine][:3]
        context["requests"] = selectors.own_requests(request.actor).filter(state=DataRequest.State.OPEN)
    context["given"] = sum(one.given for one in selectors.consents(request.actor, person.pk))
    return render(request, "privacy/home.html", context)


@require_safe
@needs(OWN)
def looks(request: PageRequest) -> HttpResponse:
    """Who looked at my data and why; an objection is one tap away."""
    person = selectors.subject(request.actor, _whom(request), "looks.view")
    every = selectors.looks(request.actor, person.pk)
    only = request.GET.get("only", "looks")
    rows = [line for line in every if not line.mine and (only != "looks" or line.kind == "look")]
    return render(
        request, "privacy/looks.html", _frame(request, "looks", person, "looks.view") | {"looks": rows, "only": only}
    )


@require_POST
@needs(OWN)
def objection(request: PageRequest) -> HttpResponse:
    """Object to one look."""
    whom = _whom(request)
    row = services.object_to(request.actor, _number(request, "entry"), request.POST.get("text", ""), whom)
    _say(request, _("Your objection is with the property manager, who answers by %(day)s.") % {"day": _day(row.due_at)})
    return redirect(f"/privacy/looks/{f'?person={whom}' if whom else ''}")


def _day(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d")


def _say(request: PageRequest, text: str) -> None:
    from django.contrib import messages

    messages.success(request, text)


@needs(OWN)
def consents(request: PageRequest) -> HttpResponse:
    """What I allow: one switch a purpose, what it is for, and what changes without it."""
    whom = _whom(request)
    if request.method == "POST":
        purpose = request.POST.get("purpose", "")
        if request.POST.get("give") == "1":
            services.give_consent(request.actor, purpose, whom)
        else:
            services.withdraw_consent(request.actor, purpose, whom)
        return redirect(request.get_full_path())
    person = selectors.subject(request.actor, whom, "data.view")
    rows = selectors.consents(request.actor, person.pk)
    context = _frame(request, "consents", person, "data.view") | {"rows": rows, "english": _english()}
    return render(request, "privacy/consents.html", context)


@needs(OWN)
def copies(request: PageRequest) -> HttpResponse:
    """A copy of everything held on me: ask, watch it being made, fetch."""
    whom = _whom(request)
    if request.method == "POST":
        exports.ask(request.actor, whom)
        return redirect(request.get_full_path())
    person = selectors.subject(request.actor, whom, "data.view")
    rows = list(selectors.exports(request.actor, person.pk))
    busy = any(row.state in (row.State.QUEUED, row.State.RUNNING) for row in rows)
    context = _frame(request, "copies", person, "data.view") | {"rows": rows, "busy": busy}
    return render(request, "privacy/copies.html", context)


@require_safe
@needs(OWN)
def copy_file(request: PageRequest) -> HttpResponseBase:
    """The file of a copy."""
    from uuid import UUID

    try:
        export_id = UUID(request.GET.get("id", ""))
    except ValueError as error:
        raise Invalid.one("id", _("This is no copy's number.")) from error
    path = exports.fetch(request.actor, export_id)
    return FileResponse(path.open("rb"), as_attachment=True, filename="my-data.zip", content_type="application/zip")


@needs(OWN)
def correct(request: PageRequest) -> HttpResponse:
    """Ask for a correction or for erasure; see what became of it."""
    whom = _whom(request)
    person = selectors.subject(request.actor, whom, "requests.make")
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            _ask(request, whom)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        else:
            return redirect(request.get_full_path())
    rows = [(row, services.opened(row)) for row in selectors.own_requests(request.actor, person.pk)]
    context = _frame(request, "correct", person, "requests.make") | {"rows": rows, "form": form}
    # What is kept tells of care: not of those who may only ask in another's name.
    context["kept"] = [one.held() for one in deposits.due(erasure.gather(person))] if context["own"] else []
    return render(request, "privacy/correct.html", context, status=status)


def _ask(request: PageRequest, whom: int | None) -> None:
    act = request.POST.get("act")
    if act == "cancel":
        services.cancel(request.actor, _number(request, "request"))
        return
    text = request.POST.get("text", "")
    if act == "erase":
        row = services.ask_erasure(request.actor, text, whom)
    else:
        wanted = {name: request.POST.get(name, "") for name in ("name", "phone", "identity", "born")}
        row = services.ask_correction(request.actor, wanted, text, whom)
    _say(request, _("Your request is with the property manager, who answers by %(day)s.") % {"day": _day(row.due_at)})


@needs(OWN)
def family(request: PageRequest) -> HttpResponse:
    """Who may act for me, for whom I may act; grant and end it."""
    person = selectors.subject(request.actor, None, "")
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            _grant(request)
        except Problem as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, refusal.status
            form.problem = "" if refusal.errors else refusal.detail
        else:
            return redirect("privacy:family")
    rows = selectors.delegations(request.actor)
    context = _frame(request, "family", person, "data.view") | {
        "mine": [(row, _scope_names(row.scopes)) for row in rows if row.person_id == person.pk],
        "theirs": [(row, _scope_names(row.scopes)) for row in rows if row.delegate_id == person.pk],
        "scopes": [(one.code, one.name if _english() else one.name_zh) for one in declarations.scopes().values()],
        "picked": request.POST.getlist("scopes"),
        "form": form,
    }
    return render(request, "privacy/family.html", context, status=status)


def _scope_names(codes: list[str]) -> list[str]:
    known = declarations.scopes()
    return [(known[code].name if _english() else known[code].name_zh) for code in codes if code in known]


def _grant(request: PageRequest) -> None:
    if request.POST.get("act") == "end":
        services.withdraw(request.actor, _number(request, "grant"))
        return
    until = parse_date(request.POST.get("until", "") or "")
    services.grant(
        request.actor,
        GrantDraft(
            delegate=services.find_delegate(request.actor, request.POST.get("code", ""), request.POST.get("phone", "")),
            scopes=request.POST.getlist("scopes"),
            until=timezone.make_aware(datetime(until.year, until.month, until.day)) if until else None,
        ),
    )


# For those who answer.


def requests_page() -> ListPage:
    states = [(value, label) for value, label in DataRequest.State.choices]
    kinds = [(value, label) for value, label in DataRequest.Kind.choices]
    return ListPage(
        title=_("Requests about personal data"),
        name="data-requests",
        row="privacy/request_row.html",
        template="privacy/requests.html",
        empty=_("What residents ask about their data appears here, the most urgent first."),
        columns=(
            Column("kind", _("What"), "kind", lambda r: r.get_kind_display()),
            Column("person", _("Person"), "person__name", lambda r: r.person.name),
            Column("place", _("Where"), "place__path", lambda r: r.place.label),
            Column("asked", _("Asked"), "asked_at", lambda r: r.asked_at),
            Column("due", _("Answer by"), "due_at", lambda r: r.due_at),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
        ),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), states),
            Filter("kind", _("What"), lambda rows, value: rows.filter(kind=value), kinds),
        ),
    )


@require_safe
@needs(MANAGE)
def requests(request: PageRequest) -> HttpResponseBase:
    """What people of the scope ask, with the day by which it must be answered."""
    rows = selectors.requests(request.actor, request.scope.path)
    return answer(request, requests_page(), rows, tab="requests", now=timezone.now())


@needs(MANAGE)
def request_detail(request: PageRequest, request_id: int) -> HttpResponse:
    """One request: what is asked (the look is recorded), what would go, and the answer."""
    row = selectors.get_request(request.actor, request_id)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            _answer(request, row)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        else:
            return redirect("privacy:requests")
    else:
        reason = _("To answer request %(id)s") % {"id": row.pk}
        record(request.actor, Act("privacy.look", row, place=row.place_id, subject=row.person_id, reason=reason))
    erased = row.person.erased_at is not None
    planned = None
    if row.kind == DataRequest.Kind.ERASURE and row.state == DataRequest.State.OPEN and not erased:
        planned = erasure.erase(request.actor, row.person_id, "", dry_run=True)
    context = {"row": row, "said": services.opened(row), "form": form, "planned": planned, "tab": "requests"}
    return render(request, "privacy/request.html", context, status=status)


def _answer(request: PageRequest, row: DataRequest) -> None:
    done, text = request.POST.get("done") == "1", request.POST.get("text", "")
    if row.kind == DataRequest.Kind.ERASURE and done:
        if not text.strip():
            raise Invalid.one("text", _("Say what was done, or why not; the person reads it."))
        done_now = erasure.erase(request.actor, row.person_id, _("At the person's own request"))
        _say(request, _("Everything held on the person was erased; the receipt is in the register."))
        for held in (one for one in done_now.held if one.until):
            what = {"what": held.what, "day": held.until, "why": held.why}
            _say(request, _("Kept until %(day)s: %(what)s (%(why)s).") % what)
        return
    services.answer(request.actor, row.pk, done=done, text=text)


@require_safe
@needs(MANAGE)
def processing(request: PageRequest) -> HttpResponse:
    """The register of processing, figures for an assessment, erasures with receipts, and what retention did."""
    context = {
        "tab": "register",
        "entries": register.entries(),
        "figures": register.assessment(request.actor, request.scope.path),
        "ran": register.retention(),
        "stones": selectors.tombstones(request.actor)[:50],
        "deposits": deposits.deposits(request.actor)[:50],
        "english": _english(),
        "holds": selectors.holds(request.actor),
    }
    return render(request, "privacy/register.html", context)


@require_POST
@needs(MANAGE)
def pack(request: PageRequest) -> HttpResponse:
    """The audit pack, as a ZIP."""
    body = register.pack(request.actor, request.scope.path)
    head = {"Content-Disposition": 'attachment; filename="audit-pack.zip"'}
    return HttpResponse(body, content_type="application/zip", headers=head)
