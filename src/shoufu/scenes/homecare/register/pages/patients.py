from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.homecare.register import codes, selectors, services
from shoufu.scenes.homecare.register.models import Patient, Practitioner


def _home(row: Patient) -> str:
    return home_label(row.household) if row.household is not None else row.place.label


@needs(selectors.VIEW)
def patients(request: PageRequest) -> HttpResponseBase:
    """Whom one cares for: names and homes, nothing of their health."""
    selectors.require_any(request.actor, selectors.PATIENTS, selectors.CARE)
    page = ListPage(
        title=_("Patients"),
        name="patients",
        row="homecare/register/patient_row.html",
        template="homecare/register/list.html",
        default_sort="home",
        empty=_("People appear here when an institution takes them into home care."),
        columns=(
            Column("name", _("Full name"), "person__name", lambda r: r.person.name),
            Column("home", _("Their home"), "place__path", _home),
            Column("nurses", _("Cared for by"), "", lambda r: ", ".join(n.person.name for n in r.nurses.all())),
            Column("since", _("Since"), "since", lambda r: r.since),
            Column("institution", _("Institution"), "institution__organisation__name", lambda r: r.institution.label),
        ),
        filters=(
            Filter("name", _("Full name"), lambda rows, value: rows.filter(person__name__icontains=value)),
            Filter(
                "ended",
                _("In care"),
                lambda rows, value: rows.filter(ended_at__isnull=value == "no"),
                (("no", _("In care")), ("yes", _("Ended"))),
            ),
        ),
    )
    ended = request.GET.get("ended", "") == "yes"
    rows = selectors.patients(request.actor, ended=ended).filter(place__path__startswith=request.scope.path)
    rows = rows.prefetch_related("nurses__person")
    may_add = request.actor.may_anywhere(selectors.PATIENTS)
    return answer(request, page, rows, tab="patients", add="patient-new" if may_add else "", note=True)


def _health_fields() -> tuple[Field, ...]:
    sexes = (("", "–"), ("female", _("Female")), ("male", _("Male")))
    return (
        Field("sex", _("Sex (for the questionnaires)"), "select", sexes),
        Field("allergies", _("Allergies"), "textarea", maximum=1000),
        Field("conditions", _("Conditions"), "textarea", maximum=2000),
        Field("flags", _("What can speak against a service"), "checks", codes.Flag.choices),
        Field("access", _("How to get in (encrypted)"), "textarea", maximum=1000),
    )


@needs(selectors.PATIENTS)
def new(request: PageRequest) -> HttpResponse:
    """Take a person into home care, by name and phone number as registered."""
    offices = [(row.pk, row.label) for row in selectors.institutions(request.actor)]
    fields = (
        Field("institution", _("Institution"), "select", offices),
        Field("name", _("Full name"), maximum=80),
        Field("phone", _("Phone"), "tel", hint=_("As registered under “People”: name and phone must both fit.")),
        *_health_fields(),
    )
    form, status = state(request, fields), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _add(request, form.values))
        if made is not None:
            messages.success(request, _("Saved. They can read it under “My data”."))
            return redirect("homecare:register:patient", made.pk)
    context = {"form": form, "fields": fields, "title": _("New patient"), "back": "patients"}
    return render(request, "homecare/register/form.html", context, status=status)


def _add(request: PageRequest, values: dict[str, Any]) -> Patient:
    sent = Reader(values)
    office = sent.number("institution")
    sent.check()
    health = selectors.Health(
        sent.text("allergies"), sent.text("conditions"), tuple(sent.several("flags")), sent.text("sex")
    )
    draft = services.PatientDraft(sent.text("name"), sent.text("phone"), sent.text("access"), health)
    return services.add_patient(request.actor, office, draft)


@needs(selectors.VIEW)
def patient(request: PageRequest, patient_id: int) -> HttpResponse:
    """One patient. Health data and the way in are shown after a reason; that look is recorded and they can read it."""
    found = selectors.patient(request.actor, patient_id)
    fields = _health_fields()
    form, status, shown = state(request, fields), 200, None
    if request.method == "POST":
        act = request.POST.get("act", "")
        done, status = tried(form, lambda: _act(request, found.pk, act, form.values))
        if isinstance(done, services.Shown):
            shown = done
            form.values = vars(done.health) | {"access": done.access}
        elif done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:register:patient", found.pk)
        elif act == "change":
            # What was typed is not lost; the look that came before it is recorded already.
            shown = services.Shown(found, "", selectors.Health())
    team = Practitioner.objects.filter(institution=found.institution_id, left_at__isnull=True).select_related("person")
    context = {
        "patient": found,
        "form": form,
        "fields": fields,
        "shown": shown,
        "carers": selectors.carers(found),
        "team": team,
        "nurses": set(found.nurses.values_list("pk", flat=True)),
        "offered": selectors.offered(found.institution),
        "coordinates": request.actor.may(selectors.PATIENTS, found.place.path),
    }
    return render(request, "homecare/register/patient.html", context, status=status)


def _act(request: PageRequest, patient_id: int, act: str, values: dict[str, Any]) -> Any:
    sent, actor = Reader(values), request.actor
    if act == "look":
        return services.look(actor, patient_id, sent.text("reason"))
    if act == "change":
        texts = {name: sent.text(name) for name in ("access", "allergies", "conditions", "sex")}
        return services.change_patient(actor, patient_id, services.PatientChange(**texts, flags=sent.several("flags")))
    if act == "assign":
        ids = [int(text) for text in request.POST.getlist("nurses") if text.isdecimal()]
        return services.assign(actor, patient_id, ids)
    if act == "end":
        return services.end_patient(actor, patient_id, sent.text("reason"))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "look, change, assign, end"})
