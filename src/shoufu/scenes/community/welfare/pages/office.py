from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.community.resident.pages.common import tried
from shoufu.scenes.community.visitors.selectors import homes_named
from shoufu.scenes.community.welfare import selectors, services
from shoufu.scenes.community.welfare.models import Sensor, Watch
from shoufu.scenes.community.welfare.services.common import MANAGE


def _roles() -> list[tuple[str, str]]:
    english = (get_language() or "").startswith("en")
    return [(code, name_en if english else name) for code, name, name_en in services.worker_roles()]


@needs(MANAGE)
def people(request: PageRequest) -> HttpResponseBase:
    """Who takes part, and the figures; nothing of anybody's days."""
    page = ListPage(
        title=_("Who takes part"),
        name="welfare-people",
        row="community/welfare/person_row.html",
        template="community/welfare/people.html",
        default_sort="home",
        empty=_("Nobody takes part yet. Residents join on their phone, or here at the desk with “Somebody joins”."),
        columns=(
            Column("home", _("Their home"), "place__path", lambda r: home_label(r.household)),
            Column("person", _("Who"), "person__name", lambda r: r.person.name),
            Column("mode", _("How"), "mode", lambda r: r.get_mode_display()),
            Column("sensors", _("Sensors"), "", lambda r: len(r.sensors.all())),
            Column("helpers", _("Contacts"), "", lambda r: len(r.helpers.all())),
            Column("since", _("Since"), "since", lambda r: r.since),
        ),
        filters=(Filter("mode", _("How"), lambda rows, value: rows.filter(mode=value), Watch.Mode.choices),),
    )
    rows = selectors.participants(request.actor, request.scope.path)
    return answer(request, page, rows, tab="people", figures=selectors.figures(request.actor, request.scope.path))


def _home(request: PageRequest, text: str) -> Household:
    found = homes_named(request.actor, text, MANAGE)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid.one("home", _("There is no such home in your places. Write it like 5-2-301."))
    raise Invalid.one("home", _("Several homes are called so; write the building and unit too."))


@needs(MANAGE)
def join(request: PageRequest) -> HttpResponse:
    """At the desk, with the resident there: which home, who, what they allow."""
    form, status = FormState(values=request.GET.dict() | request.POST.dict()), 200
    context: dict[str, Any] = {"form": form, "roles": _roles(), "tab": "people"}
    if text := form.values.get("home", ""):
        home, status = tried(form, lambda: _home(request, text))
        if home is not None:
            context |= {
                "home": home,
                "stays": selectors.candidates(request.actor, home),
                "sensors": selectors.sensors(request.actor).filter(household=home, watch__isnull=True),
            }
            if request.method == "POST":
                made, status = tried(form, lambda: _enrol(request))
                if made is not None:
                    messages.success(request, _("They take part from now on, and see it on their own page."))
                    return redirect("community:welfare:person", made.pk)
    return render(request, "community/welfare/join.html", context, status=status)


def _enrol(request: PageRequest) -> Watch:
    sent = request.POST
    if not sent.get("person", "").isdecimal():
        raise Invalid.one("person", _("Choose who joins."))
    if not sent.get("present"):
        raise Invalid(FieldError("present", _("They must be here and allow it themselves.")))
    sensors = [int(text) for text in sent.getlist("sensors") if text.isdecimal()]
    helpers = [
        services.HelperDraft(name, phone)
        for name, phone in zip(sent.getlist("name"), sent.getlist("phone"), strict=False)
        if name.strip() or phone.strip()
    ]
    draft = services.JoinDraft(sensors, sent.get("button_at") or "10:00")
    how = _("At the desk, in person")
    return services.enrol(request.actor, int(sent["person"]), how, draft, helpers, sent.get("worker_role", ""))


@needs(MANAGE)
def person(request: PageRequest, watch_id: int) -> HttpResponse:
    """One who takes part: sensors, worker's role, contacts; changed at the desk with them there, which is recorded."""
    found = selectors.participant(request.actor, watch_id)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        _done, status = tried(form, lambda: _change(request, found))
        if status == 200:
            messages.success(request, _("Saved."))
            return redirect("community:welfare:person", watch_id)
    context = {
        "watch": found,
        "form": form,
        "roles": _roles(),
        "sensors": selectors.sensors(request.actor).filter(household=found.household_id),
        "tab": "people",
    }
    return render(request, "community/welfare/person.html", context, status=status)


def _change(request: PageRequest, found: Watch) -> Any:
    sent, actor, whose = request.POST, request.actor, found.person_id
    act = sent.get("act", "")
    if act == "sensors":
        ids = [int(text) for text in sent.getlist("sensors") if text.isdecimal()]
        return services.choose_sensors(actor, ids, whose)
    if act == "worker":
        return services.set_worker(actor, sent.get("worker_role", ""), whose)
    if act == "helper":
        return services.add_helper(actor, services.HelperDraft(sent.get("name", ""), sent.get("phone", "")), whose)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "sensors, worker, helper"})


@needs(MANAGE)
def sensors(request: PageRequest) -> HttpResponseBase:
    """Which devices hang in which homes; add one. Nothing is read of them before the resident allows it."""
    form = FormState(values=request.POST.dict())
    if request.method == "POST":
        made, _status = tried(form, lambda: _add(request))
        if made is not None:
            messages.success(request, _("Noted. The resident may now choose it."))
            return redirect("community:welfare:sensors")
    page = ListPage(
        title=_("Sensors in homes"),
        name="welfare-sensors",
        row="community/welfare/sensor_row.html",
        template="community/welfare/sensors.html",
        default_sort="home",
        empty=_("Register a sensor under “Devices” when it is installed, then note its home here."),
        columns=(
            Column("home", _("Their home"), "household__place__path", lambda r: home_label(r.household)),
            Column("device", _("Number"), "device__code", lambda r: r.device.code),
            Column("role", _("What it sees"), "role", lambda r: r.get_role_display()),
            Column("watch", _("Used"), "watch", lambda r: _("yes") if r.watch_id else _("no")),
            Column("status", _("State"), "device__status", lambda r: r.device.get_status_display()),
        ),
    )
    rows = selectors.sensors(request.actor, request.scope.path)
    return answer(request, page, rows, tab="sensors", form=form, kinds=Sensor.Role.choices)


def _add(request: PageRequest) -> list[Sensor]:
    sent = request.POST
    home = _home(request, sent.get("home", ""))
    draft = services.SensorDraft(home.pk, sent.get("device", ""), sent.get("role", ""))
    return services.add_sensors(request.actor, [draft])


@require_POST
@needs(MANAGE)
def remove_sensor(request: PageRequest, sensor_id: int) -> HttpResponse:
    """A device was taken down."""
    services.remove_sensor(request.actor, sensor_id)
    messages.success(request, _("Removed."))
    return redirect("community:welfare:sensors")


@needs(MANAGE)
def steps(request: PageRequest) -> HttpResponse:
    """How long each step waits, for each compound."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        sent = request.POST
        numbers = {
            name: int(sent[name]) if sent.get(name, "").isdecimal() else 0
            for name in ("place", "resident_minutes", "contact_minutes", "worker_minutes", "going_minutes")
        }
        _done, status = tried(form, lambda: services.set_ladder(request.actor, services.LadderDraft(**numbers)))
        if status == 200:
            messages.success(request, _("Saved."))
            return redirect("community:welfare:steps")
    rows = selectors.ladders(request.actor)
    return render(
        request, "community/welfare/steps.html", {"ladders": rows, "form": form, "tab": "steps"}, status=status
    )
