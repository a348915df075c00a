from datetime import timedelta

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import Credential, Pass
from shoufu.kernel.doors.pages.common import act_and_return, attempt, home, moment, number
from shoufu.kernel.doors.services import PassDraft
from shoufu.kernel.doors.services.common import ADMIT, COMMAND, VIEW
from shoufu.kernel.places import selectors as places

FOUR_HOURS = timedelta(hours=4)


@needs(VIEW)
def lock_down(request: PageRequest) -> HttpResponseBase:
    """Lock a part of the tree down, in two steps; and what is locked down now."""
    actor, form = request.actor, FormState()
    place = places.get(actor, number(request.GET.get("place", ""), "place") or home(request, VIEW).pk)
    if request.method == "POST":
        if not actor.may(COMMAND, place.path):
            raise Forbidden(COMMAND)
        refused = attempt(
            request,
            lambda: services.lock_down(actor, place.pk, request.POST.get("reason", "")),
            _("Locked down; each door says when it has done so."),
        )
        if refused is None:
            return redirect("doors:lock-down")
        form = refused
    doors = selectors.points(actor, place.path)
    rows = list(selectors.lock_downs(actor, request.scope.path)[:30])
    return render(
        request,
        "doors/lock_down.html",
        {
            "place": place,
            "places": places.subtree(actor, request.scope.place, kinds=("district", "block", "compound", "building")),
            "doors": doors.count(),
            "offline": doors.exclude(controller__status="online").count(),
            "dwellings": doors.filter(dwelling=True).count(),
            "step": request.GET.get("step", "") or ("confirm" if request.method == "POST" else ""),
            "active": [row for row in rows if row.released_at is None],
            "past": [row for row in rows if row.released_at is not None],
            "releasing": number(request.GET.get("release", ""), "release"),
            "form": form,
            "may_command": actor.may(COMMAND, place.path),
            "tab": "lock-down",
        },
        status=422 if request.method == "POST" else 200,
    )


@require_POST
@needs(COMMAND)
def release(request: PageRequest, lock_down_id: int) -> HttpResponseBase:
    """End a lock-down."""
    return act_and_return(
        request,
        lambda: services.release_lock_down(request.actor, lock_down_id, request.POST.get("reason", "")),
        _("Released; doors go back to their own mode."),
        "doors:lock-down",
    )


def passes_page() -> ListPage:
    return ListPage(
        title=_("Passes"),
        name="passes",
        row="doors/pass_row.html",
        template="doors/list.html",
        empty=_("Codes for visitors, nurses and couriers appear here, from residents and from the desk."),
        columns=(
            Column("holder", _("Who"), "credential__holder", lambda p: p.credential.holder),
            Column("purpose", _("For"), "purpose", lambda p: p.get_purpose_display()),
            Column("host", _("Invited by"), "host__name", lambda p: p.host.name if p.host else p.issued_by),
            Column("since", _("From"), "credential__valid_from", lambda p: p.credential.valid_from),
            Column("until", _("Until"), "credential__valid_until", lambda p: p.credential.valid_until),
            Column("uses", _("Used"), "uses", lambda p: p.uses, css="num"),
            Column("state", _("State"), "credential__state", lambda p: p.credential.get_state_display()),
        ),
        filters=(
            Filter("text", _("Name"), lambda rows, value: rows.filter(credential__holder__icontains=value)),
            Filter("purpose", _("For"), lambda rows, value: rows.filter(purpose=value), Pass.Purpose.choices),
            Filter(
                "state",
                _("State"),
                lambda rows, value: rows.filter(credential__state=value),
                Credential.State.choices,
            ),
        ),
    )


@needs(VIEW)
def passes(request: PageRequest) -> HttpResponseBase:
    """Passes of the scope, newest first."""
    rows = selectors.passes(request.actor, request.scope.path)
    return answer(request, passes_page(), rows, tab="passes", may_admit=request.actor.may_anywhere(ADMIT))


@needs(VIEW)
def pass_detail(request: PageRequest, pass_id: int) -> HttpResponseBase:
    """One pass: its code, its doors and when it was used."""
    visit = selectors.pass_(request.actor, pass_id)
    own = visit.credential
    may_admit = request.actor.may(ADMIT, own.place.path)
    over = own.state != Credential.State.ACTIVE or own.valid_until is None or own.valid_until <= timezone.now()
    code = services.show_again(request.actor, pass_id) if may_admit and not over and not visit.windows else None
    uses = selectors.pass_uses(request.actor, pass_id)
    return render(
        request,
        "doors/pass.html",
        {
            "pass": visit,
            "points": visit.points.select_related("place"),
            "uses": [(row, selectors.reason_words(row.reason)) for row in uses.select_related("point")[:50]],
            "qr": _svg(code.payload) if code is not None and code.payload else "",
            "over": over,
            "may_admit": may_admit,
            "tab": "passes",
        },
    )


def _svg(text: str) -> str:
    import io

    import segno

    out = io.BytesIO()
    segno.make_qr(text, error="m", boost_error=False).save(
        out, kind="svg", scale=6, border=4, xmldecl=False, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return out.getvalue().decode()


@needs(ADMIT)
def new_pass(request: PageRequest) -> HttpResponseBase:
    """Let somebody in from the desk: who, where to, how long, how often."""
    now = timezone.localtime().replace(second=0, microsecond=0)
    form = FormState(
        values={
            "since": now.strftime("%Y-%m-%dT%H:%M"),
            "until": (now + FOUR_HOURS).strftime("%Y-%m-%dT%H:%M"),
            "purpose": "visitor",
            "maximum": "2",
        }
    )
    if request.method == "POST":
        made: list[services.IssuedPass] = []
        given = request.POST

        def act() -> None:
            since = moment(given.get("since", ""), "since") or timezone.now()
            draft = PassDraft(
                place=number(given.get("place", ""), "place") or 0,
                holder=given.get("holder", ""),
                since=since,
                until=moment(given.get("until", ""), "until") or since + FOUR_HOURS,
                purpose=given.get("purpose", ""),
                maximum=number(given.get("maximum", ""), "maximum"),
            )
            made.append(services.issue_pass(request.actor, draft))

        refused = attempt(request, act, _("The code below opens the doors on the way."))
        if refused is None:
            return redirect("doors:pass", made[0].visit.pk)
        form = refused
    units = places.subtree(request.actor, request.scope.place, kinds=("compound", "unit"))
    return render(
        request,
        "doors/pass_new.html",
        {
            "form": form,
            "places": units.select_related("parent__parent")[:1000],
            "purposes": Pass.Purpose.choices,
            "tab": "passes",
        },
        status=422 if request.method == "POST" else 200,
    )


@require_POST
@needs(ADMIT)
def revoke_pass(request: PageRequest, pass_id: int) -> HttpResponseBase:
    """End a pass now."""
    return act_and_return(
        request,
        lambda: services.revoke_pass(request.actor, pass_id, request.POST.get("reason", "")),
        _("Ended; the doors refuse it from now on."),
        "doors:pass",
        pass_id,
    )
