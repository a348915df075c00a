from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.engines.scales import Score
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.assessment import instruments, selectors, services
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import codes, words
from shoufu.scenes.homecare.register import selectors as register

SAYS = {"yes": "bad", "mostly": "good", "tendency": "warn", "no": ""}


@needs(register.VIEW)
def assessments(request: PageRequest) -> HttpResponseBase:
    """Assessments of the patients whom one cares for; nothing of the answers."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    page = ListPage(
        title=_("Assessments"),
        name="assessments",
        row="homecare/assessment/row.html",
        template="homecare/assessment/list.html",
        default_sort="-opened",
        empty=_("Open one on a patient's page. Patients can begin one themselves too."),
        columns=(
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("service", _("Service"), "version__name", lambda r: r.version.label),
            Column("opened", _("Begun at"), "opened_at", lambda r: r.opened_at),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("decision", _("Decision"), "decision", lambda r: r.get_decision_display()),
            Column("last_day", _("Valid until"), "last_day", lambda r: r.last_day),
        ),
        filters=(
            Filter("patient", _("Patient"), lambda rows, value: rows.filter(patient__person__name__icontains=value)),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Assessment.State.choices),
            Filter(
                "decision", _("Decision"), lambda rows, value: rows.filter(decision=value), Assessment.Decision.choices
            ),
        ),
    )
    rows = selectors.assessments(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="assessments")


@require_POST
@needs(register.VIEW)
def begin(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Open the assessment of a patient for a service."""
    form = FormState()
    made, _status = tried(form, lambda: services.begin(request.actor, patient_id, service_id))
    if made is None:
        messages.error(request, form.problem or _("The input has errors."))
        return redirect("homecare:register:patient", patient_id)
    return redirect("homecare:assessment:detail", made.pk)


@needs(register.VIEW)
def detail(request: PageRequest, assessment_id: int) -> HttpResponse:
    """An assessment: scores, what speaks against it, the decision. Opening it is recorded."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, assessment_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:assessment:detail", assessment_id)
    shown = services.look(request.actor, assessment_id)
    context = {
        "shown": shown,
        "row": shown.assessment,
        "form": form,
        "filled": [_told(one) for one in shown.filled],
        "against": words.names(codes.Flag, shown.against),
        "decides": selectors.deciding(request.actor, shown.assessment) is not None,
        "decisions": Assessment.Decision.choices,
        "tab": "assessments",
    }
    return render(request, "homecare/assessment/detail.html", context, status=status)


def _act(request: PageRequest, assessment_id: int) -> Assessment:
    sent = request.POST
    if sent.get("act") == "decide":
        draft = services.DecisionDraft(sent.get("decision", ""), sent.get("reason", ""), sent.get("elsewhere", ""))
        return services.decide(request.actor, assessment_id, draft)
    if sent.get("act") == "cancel":
        return services.cancel(request.actor, assessment_id, sent.get("reason", ""))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "decide, cancel"})


def _told(one: services.Filled) -> dict[str, Any]:
    """A questionnaire as pages show it."""
    english = instruments.english()
    items = [
        {
            "code": item.code,
            "text": item.text_en if english else item.text,
            "options": [(option.points, option.text_en if english else option.text) for option in item.options],
            "value": one.answers.get(item.code),
        }
        for item in one.scale.asked(one.sex)
    ]
    return {
        "response": one.response,
        "name": instruments.label(one.scale),
        "citation": one.scale.citation,
        "items": items,
        "result": _result(one.score),
    }


def _result(found: Score) -> dict[str, Any]:
    english = instruments.english()
    findings = found.constitution.findings if found.constitution is not None else ()
    says = {"yes": _("yes"), "mostly": _("mostly"), "tendency": _("tendency"), "no": _("no")}
    return {
        "score": found,
        "missing": len(found.missing),
        "band": (found.band.text_en if english else found.band.text) if found.band else "",
        "findings": [
            (one.group.text_en if english else one.group.text, round(one.converted), says[one.says], SAYS[one.says])
            for one in findings
        ],
    }


def _sent(request: PageRequest) -> dict[str, int]:
    """The points of a sent questionnaire; empty answers are left out."""
    skip = {"csrfmiddlewaretoken", "act", "reason", "version"}
    found, errors = {}, []
    for name, text in request.POST.items():
        if name in skip or not isinstance(text, str) or not text:
            continue
        if text.isdecimal() and len(text) < 5:
            found[name] = int(text)
        else:
            errors.append(FieldError(name, _("Choose one of the answers.")))
    if errors:
        raise Invalid(*errors)
    return found


def _fill(request: PageRequest, response_id: int, *, mine: bool) -> HttpResponse:
    form, status = FormState(), 200
    if request.method == "POST":
        done, status = tried(form, lambda: services.answer(request.actor, response_id, _sent(request), mine=mine))
        if done is not None:
            messages.success(request, _("Saved.") if done.complete else _("Saved. Some questions are still open."))
            if mine:
                return redirect("homecare:assessment:mine")
            return redirect("homecare:assessment:detail", done.assessment_id)
    filled = services.read(request.actor, response_id, mine=mine)
    context = {
        "one": _told(filled),
        "row": filled.response.assessment,
        "form": form,
        "open": filled.response.assessment.state == Assessment.State.OPEN,
        "preview": "homecare:assessment:my-preview" if mine else "homecare:assessment:preview",
        "mine": mine,
        "tab": "assessments",
    }
    return render(request, "homecare/assessment/fill.html", context, status=status)


def _preview(request: PageRequest, response_id: int, *, mine: bool) -> HttpResponse:
    row = selectors.response(request.actor, response_id, mine=mine)
    form = FormState()
    found, status = tried(form, lambda: services.preview(row, _sent(request)))
    context = {"result": _result(found) if found is not None else None, "form": form}
    return render(request, "homecare/assessment/score.html", context, status=status)


@needs(register.VIEW)
def fill(request: PageRequest, response_id: int) -> HttpResponse:
    """A questionnaire, filled in with or for a patient."""
    return _fill(request, response_id, mine=False)


@require_POST
@needs(register.VIEW)
def preview(request: PageRequest, response_id: int) -> HttpResponse:
    """What the answers on the page add up to; nothing is kept."""
    return _preview(request, response_id, mine=False)


@needs(register.OWN)
def my_fill(request: PageRequest, response_id: int) -> HttpResponse:
    """A questionnaire about oneself, or one for whom one may act."""
    return _fill(request, response_id, mine=True)


@require_POST
@needs(register.OWN)
def my_preview(request: PageRequest, response_id: int) -> HttpResponse:
    """As `preview`, about oneself."""
    return _preview(request, response_id, mine=True)


@needs(register.OWN)
def mine(request: PageRequest) -> HttpResponse:
    """One's own home care and that of people for whom one may act: questionnaires, decisions, services to begin."""
    people = list(register.own(request.actor))
    rows = selectors.own(request.actor).prefetch_related("responses")
    shown = [services.look(request.actor, row.pk, mine=True) for row in rows[:30]]
    offered = [(one, register.offered(one.institution)) for one in people]
    names = {code: instruments.label(scale) for code, scale in instruments.newest().items()}
    context = {"people": offered, "shown": shown, "names": names, "in_force": selectors.in_force(request.actor)}
    return render(request, "homecare/assessment/mine.html", context)


@require_POST
@needs(register.OWN)
def my_begin(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Begin an assessment for oneself, or one for whom one may act."""
    form = FormState()
    made, _status = tried(form, lambda: services.begin(request.actor, patient_id, service_id, mine=True))
    if made is None:
        messages.error(request, form.problem or _("The input has errors."))
    return redirect("homecare:assessment:mine")


@needs(register.VIEW)
def who(request: PageRequest, patient_id: int, service_id: int) -> HttpResponse:
    """Who may do a service for a patient, and why the others may not."""
    found = services.who_may(request.actor, patient_id, service_id)
    rounds = [(1, found.candidates)] + ([(2, found.second)] if found.second else [])
    context = {"who": found, "rounds": rounds, "tab": "patients"}
    return render(request, "homecare/assessment/who.html", context)
