from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Encounter, Operation
from shoufu.scenes.homecare.encounters.pages import lines, reading, sketch
from shoufu.scenes.homecare.encounters.services.common import rules
from shoufu.scenes.homecare.encounters.services.handlers import VERSIONED
from shoufu.scenes.homecare.encounters.words import CODES, why, word
from shoufu.scenes.homecare.planning.selectors import PLAN
from shoufu.scenes.homecare.register import selectors as register


def _minutes(row: Encounter) -> int | None:
    return round((row.out_at - row.in_at).total_seconds() / 60) if row.in_at and row.out_at else None


@needs(register.VIEW)
def encounters(request: PageRequest) -> HttpResponseBase:
    """What was done at homes: who, where, when; nothing of what was written."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    page = ListPage(
        title=_("Visit records"),
        name="encounters",
        row="homecare/encounters/row.html",
        template="homecare/encounters/list.html",
        default_sort="-in",
        empty=_("Visits appear here when a nurse checks in on the phone."),
        columns=(
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("service", _("Service"), "visit__version__name", lambda r: r.visit.version.label),
            Column("who", _("Who came"), "practitioner__person__name", lambda r: r.practitioner.person.name),
            Column("in", _("Check-in"), "in_at", lambda r: r.in_at),
            Column("out", _("Check-out"), "out_at", lambda r: r.out_at),
            Column("minutes", _("Minutes"), "", _minutes),
            Column("distance", _("Metres from the home"), "in_distance", lambda r: r.in_distance),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
        ),
        filters=(
            Filter("name", _("Patient"), lambda rows, value: rows.filter(patient__person__name__icontains=value)),
            Filter("who", _("Who came"), lambda rows, value: rows.filter(practitioner__person__name__icontains=value)),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Encounter.State.choices),
            Filter(
                "mark",
                _("Out of the ordinary"),
                _marked,
                (("contested", _("Does not fit the plan")), ("far", _("Too far away")), ("clock", _("Wrong clock"))),
            ),
        ),
    )
    rows = selectors.encounters(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="encounters")


def _marked(rows: Any, value: str) -> Any:
    if value == "contested":
        return rows.filter(contested=True)
    if value == "far":
        return rows.exclude(in_reason="", out_reason="")
    return rows.exclude(clock_error=0)


@needs(register.VIEW)
def encounter(request: PageRequest, encounter_id: int) -> HttpResponse:
    """One encounter. What was written, and the way of who came, are shown after a reason; those looks are recorded."""
    found = selectors.encounter(request.actor, encounter_id)
    form, status, shown, way = FormState(values=request.POST.dict()), 200, None, None
    act = request.POST.get("act", "")
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, found.pk, act))
        if isinstance(done, services.Shown):
            shown = done
        elif isinstance(done, services.Way):
            way = done
        elif done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:encounters:detail", found.pk)
    wanted = rules(found.visit.institution)
    points = [(x, y) for _t, x, y, _a in way.points] if way else []
    context = {
        "row": found,
        "minutes": _minutes(found),
        "form": form,
        "shown": shown,
        "way": way,
        "sections": reading.sections(shown) if shown else (),
        "shots": [reading.shot(one) for one in shown.photos] if shown else (),
        "disputed": [_disputed(one.operation, one.content) for one in shown.disputed] if shown else (),
        "sketch": sketch.around(found, wanted.radius, points),
        "traced": found.traces.exists(),
        "writes": register.practices(request.actor).filter(institution=found.visit.institution_id).exists(),
        "coordinates": request.actor.may(register.PATIENTS, found.place.path),
        "printed": timezone.now(),
    }
    template = "print" if act == "print" and shown else "detail"
    return render(request, f"homecare/encounters/{template}.html", context, status=status)


def _act(request: PageRequest, encounter_id: int, act: str) -> Any:
    sent, actor = Reader(request.POST.dict()), request.actor
    if act in ("look", "print"):
        return services.look(actor, encounter_id, sent.text("reason"))
    if act == "way":
        return services.way(actor, encounter_id, sent.text("reason"))
    if act == "add":
        return services.add(actor, encounter_id, sent.text("text"))
    if act == "finish":
        visit = selectors.encounter(actor, encounter_id).visit_id
        return services.finish_without(actor, visit, sent.text("reason"))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "look, print, way, add, finish"})


@require_safe
@needs(register.VIEW)
def picture(request: PageRequest, encounter_id: int, photo_id: UUID) -> HttpResponse:
    """A picture of an encounter; the look is recorded."""
    photo, content = services.picture(request.actor, encounter_id, photo_id)
    return HttpResponse(content, content_type=photo.content_type, headers={"Cache-Control": "private, no-store"})


def _disputed(row: Operation, content: Any) -> dict[str, Any]:
    fields = lines.rows(row.kind, content) if content is not None else ()
    return {"row": row, "kind": word("kind", row.kind), "said": why(row.problem), "fields": fields}


@needs(register.VIEW)
def conflicts(request: PageRequest) -> HttpResponseBase:
    """Lines of phones that somebody must look at."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    page = ListPage(
        title=_("Conflicts"),
        name="conflicts",
        row="homecare/encounters/conflict_row.html",
        template="homecare/encounters/list.html",
        default_sort="-known",
        empty=_("When a phone sends something that does not fit the plan any more, it is kept and appears here."),
        columns=(
            Column("kind", _("What"), "kind", lambda r: word("kind", r.kind)),
            Column("patient", _("Patient"), "visit__patient__person__name", lambda r: r.visit.patient.person.name),
            Column("who", _("Sent by"), "practitioner__person__name", lambda r: r.practitioner.person.name),
            Column("at", _("Written"), "at", lambda r: r.at),
            Column("known", _("Came in"), "known_at", lambda r: r.known_at),
            Column("result", _("State"), "result", lambda r: r.get_result_display()),
        ),
        filters=(
            Filter(
                "settled",
                _("Settled"),
                lambda rows, value: rows.filter(settled_at__isnull=value == "no"),
                (("no", _("Not settled")), ("yes", _("Settled"))),
            ),
            Filter("result", _("State"), lambda rows, value: rows.filter(result=value), Operation.Result.choices),
            Filter("kind", _("What"), lambda rows, value: rows.filter(kind=value), tuple(CODES["kind"].items())),
        ),
    )
    rows = selectors.conflicts(request.actor).filter(visit__place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="conflicts")


@needs(register.VIEW)
def conflict(request: PageRequest, operation_id: UUID) -> HttpResponse:
    """A line in conflict: why, and after a recorded look what it says; then it is settled in words."""
    row = selectors.conflicts(request.actor).filter(pk=operation_id).first()
    if row is None:
        raise NotFound(_("There is no such line that you may see."))
    form, status, content = FormState(values=request.POST.dict()), 200, None
    if request.method == "POST":
        act, sent = request.POST.get("act", ""), Reader(request.POST.dict())
        if act == "look":
            content, status = tried(form, lambda: services.look_line(request.actor, row.pk, sent.text("reason")))
        else:
            take, also = act == "take", bool(sent.text("also"))
            done, status = tried(
                form, lambda: services.settle(request.actor, row.pk, sent.text("note"), take=take, also=also)
            )
            if done is not None:
                messages.success(request, _("Settled."))
                return redirect("homecare:encounters:conflicts")
    context = {
        "one": _disputed(row, content),
        "row": row,
        "form": form,
        "looked": content is not None,
        **_choices(request, row),
    }
    return render(request, "homecare/encounters/conflict.html", context, status=status)


def _choices(request: PageRequest, row: Operation) -> dict[str, Any]:
    """What can be decided about a line: whether it can be made to count, for how many others at once, and whether the
    visit must be given back to who did it first."""
    actor, place = request.actor, row.visit.place
    doubtful = services.doubtful(row)
    given = row.visit.stops.filter(practitioner=row.practitioner_id).exists()
    away = row.kind in services.DOORS and not given
    carried = row.result == Operation.Result.CONFLICT and row.encounter_id is not None
    return {
        "doubtful": doubtful,
        "settles": not row.problem.get("doubts") or actor.may(register.PATIENTS, place.path),
        "takes": carried and not away and (doubtful or row.kind in VERSIONED),
        "alike": len(services.alike(row)) if doubtful else 0,
        "away": carried and away,
        "plans": actor.may(PLAN, place.path),
    }


@needs(register.VIEW)
def alarms(request: PageRequest) -> HttpResponse:
    """Calls for help and missed check-outs of one's own people; a coordinator writes down what was said."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _answer(request))
        if status == 200:
            messages.success(request, _("Saved."))
            return redirect("homecare:encounters:alarms")
    context = {
        "calls": selectors.alarms(request.actor)[:50],
        "late": selectors.overdue(request.actor)[:100],
        "form": form,
        "coordinates": request.actor.may_anywhere(register.PATIENTS),
        "tab": "alarms",
    }
    return render(request, "homecare/encounters/alarms.html", context, status=status)


def _answer(request: PageRequest) -> None:
    sent, actor = Reader(request.POST.dict()), request.actor
    done = sent.text("act") == "done"
    if sent.text("sos"):
        try:
            number = UUID(sent.text("sos"))
        except ValueError as error:
            raise Invalid.one("sos", _("Must be a UUID.")) from error
        return services.answer(actor, services.of_sos(actor, number), sent.text("text"), done=done)
    row = sent.number("overdue")
    sent.check()
    return services.answer(actor, services.of_overdue(actor, row), sent.text("text"), done=done)


@needs(register.MANAGE)
def rules_page(request: PageRequest, institution_id: int) -> HttpResponse:
    """How an institution wants its visits done."""
    office = register.institution(request.actor, institution_id)
    fields = (
        Field("radius", _("Check in within (metres)"), "number", hint=_("Further away the phone asks for a reason.")),
        Field("grace", _("Minutes until a missed check-in or check-out is raised"), "number"),
        Field("alarm_number", _("Phone number for text messages for help"), "tel", hint=_("Used without a network.")),
        Field("trace", _("Record the way between check-in and check-out (nurses are told)"), "check"),
    )
    known = rules(office)
    start = {"radius": known.radius, "grace": known.grace, "alarm_number": known.alarm_number, "trace": known.trace}
    form, status = state(request, fields, **start), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _set(request, office.pk))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:encounters:rules", office.pk)
    context = {
        "form": form,
        "fields": fields,
        "title": f"{_('Rules of visits')} · {office.label}",
        "back": "institutions",
    }
    return render(request, "homecare/register/form.html", context, status=status)


def _set(request: PageRequest, institution_id: int) -> Any:
    sent = Reader(request.POST.dict())
    radius, grace = sent.number("radius"), sent.number("grace")
    sent.check()
    draft = services.RulesDraft(radius, grace, sent.text("alarm_number"), bool(sent.text("trace")))
    return services.set_rules(request.actor, institution_id, draft)
