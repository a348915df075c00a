from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.forms import Field, Reader, state
from shoufu.kernel.base.lists import Column, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import Institution


@needs(selectors.VIEW)
def home(request: PageRequest) -> HttpResponse:
    """The page that one works on: patients, or the catalogue."""
    cares = request.actor.may_anywhere(selectors.PATIENTS) or request.actor.may_anywhere(selectors.CARE)
    return redirect("homecare:register:patients" if cares else "homecare:register:services")


@needs(selectors.VIEW)
def institutions(request: PageRequest) -> HttpResponseBase:
    """Who gives care at homes here."""
    page = ListPage(
        title=_("Institutions"),
        name="institutions",
        row="homecare/register/institution_row.html",
        template="homecare/register/list.html",
        empty=_("A medical organisation appears here when it is let give care at homes."),
        columns=(
            Column("name", _("Institution"), "organisation__name", lambda r: r.label),
            Column("place", _("Serves"), "place__path", lambda r: r.place.label),
            Column("licence", _("Licence"), "", lambda r: r.licence_number),
            Column("last_day", _("Valid until"), "licence_last_day", lambda r: r.licence_last_day),
        ),
    )
    rows = selectors.institutions(request.actor).filter(place__path__startswith=request.scope.path)
    manages = request.actor.may_anywhere(selectors.MANAGE)
    return answer(request, page, rows, tab="institutions", add="institution-new" if manages else "")


def _fields(request: PageRequest) -> tuple[Field, ...]:
    rows = places.visible(request.actor).filter(kind__in=[Place.Kind.DISTRICT, Place.Kind.BLOCK, Place.Kind.COMPOUND])
    where = [(row.pk, row.label) for row in rows if request.actor.may(selectors.MANAGE, row.path)]
    offices = [(row.pk, row.name) for row in selectors.candidates(request.actor)]
    return (
        Field("organisation", _("Medical organisation"), "select", offices),
        Field("place", _("Serves this place and what lies in it"), "select", where),
        Field("licence_number", _("Number of the licence"), maximum=64),
        Field("licence_last_day", _("Valid until (this day still counts)"), "date"),
    )


@needs(selectors.MANAGE)
def new(request: PageRequest) -> HttpResponse:
    """Let a medical organisation give care at homes."""
    fields = _fields(request)
    form, status = state(request, fields, place=request.scope.id or ""), 200
    if request.method == "POST":
        made, status = tried(form, lambda: _add(request, form.values))
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:register:institution", made.pk)
    context = {"form": form, "fields": fields, "title": _("New institution"), "back": "institutions"}
    return render(request, "homecare/register/form.html", context, status=status)


def _add(request: PageRequest, values: dict[str, object]) -> Institution:
    sent = Reader(values)
    draft = services.InstitutionDraft(
        sent.number("organisation"),
        sent.number("place"),
        sent.text("licence_number"),
        sent.day("licence_last_day"),
    )
    sent.check()
    return services.add_institution(request.actor, draft)


@needs(selectors.VIEW)
def institution(request: PageRequest, institution_id: int) -> HttpResponse:
    """One institution; renew its licence, suspend it."""
    found = selectors.institution(request.actor, institution_id)
    form, status = state(request, ()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _change(request, found.pk))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:register:institution", found.pk)
    context = {
        "institution": found,
        "form": form,
        "manages": request.actor.may(selectors.MANAGE, found.place.path),
        "lapsed": found.licence_last_day < selectors.day_at(found.place),
    }
    return render(request, "homecare/register/institution.html", context, status=status)


def _change(request: PageRequest, institution_id: int) -> Institution:
    sent = Reader(request.POST.dict())
    act = request.POST.get("act", "")
    if act == "renew":
        day = sent.day("last_day")
        sent.check()
        return services.renew_institution(request.actor, institution_id, day)
    if act in ("suspend", "resume"):
        reason = request.POST.get("reason", "")
        return services.suspend_institution(request.actor, institution_id, reason, resume=act == "resume")
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "renew, suspend, resume"})
