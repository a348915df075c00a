from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.forms import Field, Reader, cents, state
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.scenes.homecare.register import codes, national, selectors, services
from shoufu.scenes.homecare.register.models import Service, ServiceVersion


@needs(selectors.VIEW)
def catalogue(request: PageRequest) -> HttpResponseBase:
    """What is done at homes, with each service's newest version."""
    page = ListPage(
        title=_("Services"),
        name="services",
        row="homecare/register/service_row.html",
        template="homecare/register/list.html",
        default_sort="code",
        empty=_("A service appears here with its first version."),
        columns=(
            Column("name", _("Service"), "named", lambda r: r.named),
            Column("code", _("Code"), "code", lambda r: r.code),
            Column("duration", _("Minutes"), "", css="num"),
            Column("price", _("Price"), "", css="num"),
            Column("institution", _("Institution"), "institution__organisation__name", lambda r: r.institution.label),
        ),
        filters=(Filter("name", _("Name"), lambda rows, value: rows.filter(named__icontains=value)),),
    )
    rows = selectors.services(request.actor).filter(institution__place__path__startswith=request.scope.path)
    rows = rows.filter(closed_at__isnull=True)
    newest = selectors.newest_of(rows)
    manages = request.actor.may_anywhere(selectors.MANAGE)
    return answer(request, page, rows, tab="services", newest=newest, add="service-new" if manages else "")


def _fields() -> tuple[Field, ...]:
    from shoufu.scenes.homecare.assessment.instruments import label, newest

    scales = [(code, label(scale)) for code, scale in newest().items()]
    return (
        Field("since", _("Holds from (empty: today)"), "date"),
        Field("name", _("Name (Chinese)"), maximum=120),
        Field("name_en", _("Name (English)"), maximum=120),
        Field("what", _("What it is (Chinese)"), "textarea", maximum=1000),
        Field("what_en", _("What it is (English)"), "textarea", maximum=1000),
        Field("professions", _("Who may do it"), "checks", codes.Profession.choices),
        Field("skills", _("Skills needed"), "checks", codes.Skill.choices),
        Field("least_rank", _("Least title"), "select", codes.Rank.choices),
        Field("least_years", _("Least years of clinical work"), "number"),
        Field("second", _("How many people"), "select", ServiceVersion.Second.choices),
        Field("second_professions", _("The second person may be"), "checks", codes.Profession.choices),
        Field("second_skills", _("The second person's skills"), "checks", codes.Skill.choices),
        Field("gap_least", _("One after the other: least minutes between"), "number"),
        Field("gap_most", _("One after the other: most minutes between"), "number"),
        Field("duration_minutes", _("Minutes"), "number"),
        Field("price", _("Price (yuan)"), hint=_("Such as 168 or 168.50.")),
        Field("insurance_share", _("Share of the insurance (%)"), "number"),
        Field(
            "materials", _("Material"), "textarea", hint=_("One a line: name | English | quantity | unit"), maximum=2000
        ),
        Field("contraindications", _("Speaks against it"), "checks", codes.Flag.choices),
        Field("needs_prescription", _("Needs a prescription"), "check"),
        Field("needs_assessment", _("Needs an assessment"), "check"),
        Field("instruments", _("Questionnaires of the assessment"), "checks", scales),
        Field("assessment_days", _("The assessment holds for (days)"), "number"),
        Field("consent", _("Consent (Chinese)"), "textarea", maximum=4000),
        Field("consent_en", _("Consent (English)"), "textarea", maximum=4000),
    )


FRESH: dict[str, Any] = {
    "professions": ["nurse"],
    "least_rank": 2,
    "least_years": 5,
    "second": "none",
    "insurance_share": 0,
    "needs_assessment": "on",
    "assessment_days": 90,
    "gap_least": 0,
    "gap_most": 0,
}


def _draft(values: dict[str, Any]) -> services.VersionDraft:
    sent = Reader(values)
    rank, years = sent.number("least_rank", 1), sent.number("least_years", 0)
    performers = [services.PerformerDraft(sent.several("professions"), sent.several("skills"), rank, years)]
    second = sent.text("second") or "none"
    if second != "none":
        performers.append(
            services.PerformerDraft(sent.several("second_professions"), sent.several("second_skills"), 1, 0)
        )
    since = sent.day("since", needed=False)
    draft = services.VersionDraft(
        name=sent.text("name"),
        name_en=sent.text("name_en"),
        duration_minutes=sent.number("duration_minutes"),
        price=cents(sent, "price"),
        consent=sent.text("consent"),
        consent_en=sent.text("consent_en"),
        performers=performers,
        since=None if since == date.max else since,
        what=sent.text("what"),
        what_en=sent.text("what_en"),
        second=second,
        gap_least=sent.number("gap_least", 0),
        gap_most=sent.number("gap_most", 0),
        materials=[_material(line) for line in sent.text("materials").splitlines() if line.strip()],
        insurance_share=sent.number("insurance_share", 0),
        contraindications=sent.several("contraindications"),
        needs_prescription=bool(sent.text("needs_prescription")),
        needs_assessment=bool(sent.text("needs_assessment")),
        instruments=sent.several("instruments"),
        assessment_days=sent.number("assessment_days", 90),
    )
    sent.check()
    return draft


def _material(line: str) -> dict[str, Any]:
    name, english, quantity, unit = ([part.strip() for part in line.split("|")] + ["", "", "", ""])[:4]
    try:
        amount = float(quantity or 1)
    except ValueError:
        raise Invalid.one("materials", _("Each material has a name and a quantity.")) from None
    return {"name": name, "name_en": english, "quantity": int(amount) if amount.is_integer() else amount, "unit": unit}


def _values(version: ServiceVersion) -> dict[str, Any]:
    first, second = [*version.performers, {}][:2]
    plain = {field.name: getattr(version, field.name) for field in _fields() if hasattr(version, field.name)}
    lines = [f"{m['name']} | {m['name_en']} | {m['quantity']} | {m['unit']}" for m in version.materials]
    return plain | {
        "since": "",
        "price": f"{version.price // 100}.{version.price % 100:02d}",
        "materials": "\n".join(lines),
        "needs_prescription": "on" if version.needs_prescription else "",
        "needs_assessment": "on" if version.needs_assessment else "",
        "professions": first.get("professions", []),
        "skills": first.get("skills", []),
        "least_rank": first.get("least_rank", 1),
        "least_years": first.get("least_years", 0),
        "second_professions": second.get("professions", []),
        "second_skills": second.get("skills", []),
    }


@needs(selectors.MANAGE)
def new(request: PageRequest) -> HttpResponse:
    """Add a service with its first version."""
    offices = [(row.pk, row.label) for row in selectors.institutions(request.actor)]
    head = (Field("institution", _("Institution"), "select", offices), Field("code", _("Code"), maximum=64))
    fields = (*head, *_fields())
    form, status = state(request, fields, **FRESH), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _add(request, form.values))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:register:service", made.pk)
    context = {"form": form, "fields": fields, "title": _("New service"), "back": "services"}
    return render(request, "homecare/register/form.html", context, status=status)


def _add(request: PageRequest, values: dict[str, Any]) -> Service:
    sent = Reader(values)
    office = sent.number("institution")
    sent.check()
    return services.add_service(request.actor, office, sent.text("code"), _draft(values))


@needs(selectors.VIEW)
def service(request: PageRequest, service_id: int) -> HttpResponse:
    """A service: the version that holds today, those before and to come."""
    found = selectors.service(request.actor, service_id)
    from shoufu.scenes.homecare.visits.selectors import bookable_services

    form, status = state(request, ()), 200
    if request.method == "POST":
        done, status = tried(
            form, lambda: services.close_service(request.actor, found.pk, request.POST.get("reason", ""))
        )
        if done is not None:
            messages.success(request, _("Closed."))
            return redirect("homecare:register:service", found.pk)
    today = selectors.day_at(found.institution.place)
    versions = list(found.versions.order_by("-since"))
    held = next((one for one in versions if one.since <= today), None)
    rules = [rule for code in codes.Profession.values if (rule := national.in_force(code, today)) is not None]
    context = {
        "service": found,
        "version": held or (versions[-1] if versions else None),
        "held": held,
        "versions": versions,
        "rules": rules,
        "form": form,
        "english": (get_language() or "").startswith("en"),
        "manages": request.actor.may(selectors.MANAGE, found.institution.place.path),
        "bookable": found.pk in bookable_services(found.institution),
    }
    return render(request, "homecare/register/service.html", context, status=status)


@needs(selectors.MANAGE)
def publish(request: PageRequest, service_id: int) -> HttpResponse:
    """A new version, filled with the newest one."""
    found = selectors.service(request.actor, service_id)
    newest = found.versions.order_by("-since").first()
    fields = _fields()
    form, status = state(request, fields, **(_values(newest) if newest is not None else FRESH)), 200
    if request.method == "POST":
        made, status = tried(form, lambda: services.publish(request.actor, found.pk, _draft(form.values)))
        if made is not None:
            messages.success(request, _("Published."))
            return redirect("homecare:register:service", found.pk)
    context = {"form": form, "fields": fields, "title": _("New version"), "back": "services"}
    return render(request, "homecare/register/form.html", context, status=status)
