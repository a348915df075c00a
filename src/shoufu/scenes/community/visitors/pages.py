import hmac
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.engines.doors.qr import encode
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, public
from shoufu.kernel.doors.services import IssuedPass
from shoufu.kernel.parties.selectors import home_label, unit_label
from shoufu.scenes.community.acting import compound_of
from shoufu.scenes.community.visitors import selectors, services
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.visitors.services.common import HANDLE

State = Invitation.State


def _page() -> ListPage:
    return ListPage(
        title=_("Visitors"),
        name="visitors",
        row="community/visitors/row.html",
        template="community/visitors/desk.html",
        default_sort="-since",
        empty=_("Visitors whom residents expect appear here, and those whom you note at the desk."),
        columns=(
            Column("visitor", _("Who"), "visitor", lambda r: r.visitor or r.get_kind_display()),
            Column("kind", _("Kind"), "kind", lambda r: r.get_kind_display()),
            Column("home", _("Visiting"), "household__place__path", lambda r: home_label(r.household)),
            Column("since", _("From"), "since", lambda r: r.since),
            Column("until", _("To (time)"), "until", lambda r: r.until),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("arrived", _("Arrived"), "arrived_at", lambda r: r.arrived_at),
            Column("acts", _("Next step"), "", None),
        ),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), State.choices),
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), Invitation.Kind.choices),
            Filter("q", _("Name, home number or plate"), _find),
        ),
    )


def _find(rows: Any, text: str) -> Any:
    numbers = [part for part in text.replace("-", " ").split() if part]
    named = rows.filter(visitor__icontains=text) | rows.filter(plate__icontains=text.upper())
    return named | rows.filter(household__number=numbers[-1] if numbers else text)


def _desk(request: PageRequest, form: FormState, checked: Any = None, status: int = 200) -> HttpResponseBase:
    rows = selectors.listing(request.actor, request.scope.path)
    waiting = rows.filter(state__in=[State.ASKED], until__gt=timezone.now())
    late = rows.filter(state=State.INSIDE, until__lte=timezone.now())
    context = {
        "form": form,
        "checked": checked,
        "waiting": waiting[:10],
        "late": late[:10],
        "inside": rows.filter(state=State.INSIDE).count(),
        "kinds": [kind for kind in Invitation.Kind.choices if kind[0] not in ("courier", "food")],
        "handles": request.actor.may_anywhere(HANDLE),
    }
    found = answer(request, _page(), rows, **context)
    found.status_code = status
    return found


@needs("visitors.view")
def desk(request: PageRequest) -> HttpResponseBase:
    """The guard's page: scan a code, note a walk-in or a delivery, and the list of who comes and who is inside."""
    return _desk(request, FormState())


@require_POST
@needs(HANDLE)
def check(request: PageRequest) -> HttpResponseBase:
    """Judge a scanned code; the verdict stands above the list."""
    form = FormState(values=request.POST.dict())
    try:
        return _desk(request, form, services.check_code(request.actor, request.POST.get("code", "")))
    except Invalid as refusal:
        form.errors = {error.field: str(error.message) for error in refusal.errors}
        return _desk(request, form, status=422)


@require_POST
@needs(HANDLE)
def walk_in(request: PageRequest) -> HttpResponseBase:
    """Note somebody without an invitation; a delivery by its quick key."""
    sent, form = request.POST, FormState(values=request.POST.dict())
    people = sent.get("people", "1")
    draft = services.WalkIn(
        sent.get("home", ""),
        sent.get("visitor", ""),
        sent.get("kind", ""),
        sent.get("reason", ""),
        sent.get("phone", ""),
        int(people) if people.isdecimal() else 0,
    )
    try:
        row, told = services.walk_in(request.actor, draft)
    except Invalid as refusal:
        form.errors = {error.field: str(error.message) for error in refusal.errors}
        return _desk(request, form, status=422)
    if told == 0:
        messages.warning(request, _("Nobody of this home has a phone page: call them by the intercom."))
    elif row.state == State.ASKED:
        messages.success(request, _("The home was asked; the answer appears here."))
    else:
        messages.success(request, _("Let in for 15 minutes; the home was told."))
    return redirect("community:visitors:visit", row.pk)


@needs("visitors.view")
def visit(request: PageRequest, visit_id: int) -> HttpResponse:
    """One visit at the desk: who, to which home, what comes next."""
    found = selectors.of_desk(request.actor, visit_id)
    token = request.session.pop(f"visit-{found.pk}", "")
    context = {
        "visit": found,
        "home": home_label(found.household),
        "handles": request.actor.may(HANDLE, found.place.path),
    }
    if token:
        address = request.build_absolute_uri(reverse("community:visitors:link", args=[token]))
        context["qr"] = segno.make(address, error="m").svg_inline(scale=5, border=3, light="#fff")
    return render(request, "community/visitors/visit.html", context)


@require_POST
@needs(HANDLE)
def act(request: PageRequest, visit_id: int) -> HttpResponse:
    """What the guard does with a visit: let in, out, answer for the home, withdraw, a link, the phone number."""
    selectors.of_desk(request.actor, visit_id)
    name, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    acts: dict[str, Any] = {
        "in": lambda: services.check_in(request.actor, visit_id),
        "out": lambda: services.check_out(request.actor, visit_id),
        "yes": lambda: services.answer_by_desk(request.actor, visit_id, let_in=True, reason=reason),
        "no": lambda: services.answer_by_desk(request.actor, visit_id, let_in=False, reason=reason),
        "withdraw": lambda: services.withdraw(request.actor, visit_id, reason),
        "link": lambda: services.new_link(request.actor, visit_id),
        "phone": lambda: services.look_phone(request.actor, visit_id, reason),
    }
    if name not in acts:
        raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(acts)})
    try:
        done = acts[name]()
    except (Conflict, Invalid) as refusal:
        words = refusal.detail or " ".join(str(error.message) for error in refusal.errors)
        messages.error(request, words)
        return redirect("community:visitors:visit", visit_id)
    if name == "link":
        request.session[f"visit-{visit_id}"] = done.token
    if name == "phone":
        messages.info(request, _("Phone: %(phone)s") % {"phone": done or _("none")})
    return redirect("community:visitors:visit", visit_id)


def _address(request: HttpRequest) -> str:
    """Where a request comes from: what our edge says of it, which is the last hop that it names."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _now_shown(issued: IssuedPass) -> str:
    """The code of this moment as SVG, for a phone that runs no scripts; the page then loads itself again."""
    if issued.payload:
        text = issued.payload
    else:
        head = issued.code.head + int(timezone.now().timestamp() // issued.code.step_seconds).to_bytes(4, "big")
        text = encode(head + hmac.digest(issued.code.key, head, "sha256")[: issued.code.size])
    made = segno.make(text, mode="alphanumeric", error="m", micro=False, boost_error=False)
    return str(made.svg_inline(scale=6, border=4, light="#fff", omitsize=True))


@public
def link(request: Any, token: str) -> HttpResponse:
    """The visitor's page: code, place, time, the way, their plate, and what is kept. No sign-in, no application."""
    address, problem, status = _address(request), "", 200
    found = services.open_link(token, address)
    if request.method == "POST":
        try:
            services.set_plate(token, request.POST.get("plate", ""))
            return redirect("community:visitors:link", token)
        except Invalid as refusal:
            problem, status = " ".join(str(error.message) for error in refusal.errors), 422
    timezone.activate(ZoneInfo(found.place.time_zone))
    issued = services.code_of(found)
    doors = list(found.visit.points.select_related("place")) if found.visit else []
    left = max(0, (found.visit.maximum or 0) - found.visit.uses) if found.visit and found.visit.maximum else None
    context = {
        "visit": found,
        "token": token,
        "compound": compound_of(found.place),
        "unit": unit_label(found.place),
        "code": issued.code.as_json() if issued else None,
        "svg": _now_shown(issued) if issued else "",
        "doors": doors,
        "left": -(-left // len(doors)) if left is not None and doors else found.maximum,
        "early": found.since > timezone.now(),
        "problem": problem,
        "plate": request.POST.get("plate", found.plate),
        "kept": found.until + timedelta(days=Invitation.RETENTION_DAYS),
        "now": f"{timezone.now().timestamp():.3f}",
    }
    answered = render(request, "community/visitors/link.html", context, status=status)
    answered["Cache-Control"] = "no-store"
    answered["Referrer-Policy"] = "no-referrer"
    answered["X-Robots-Tag"] = "noindex"
    return answered
