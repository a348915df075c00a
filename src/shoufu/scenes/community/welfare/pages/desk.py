from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.community.welfare import selectors, services
from shoufu.scenes.community.welfare.services.common import MANAGE


@needs("welfare.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """On whom to look in now: who, where, since when it is one's turn, and whether somebody is on the way."""
    page = ListPage(
        title=_("Welfare checks"),
        name="welfare-checks",
        row="community/welfare/row.html",
        template="community/welfare/desk.html",
        default_sort="asked",
        empty=_("Nobody needs a look now. When somebody does not answer, they appear here and you get a notice."),
        columns=(
            Column("home", _("Their home"), "place__path", lambda r: home_label(r.household)),
            Column("person", _("Who"), "person__name", lambda r: r.person.name),
            Column("asked", _("Since"), "asked_at", lambda r: r.asked_at),
            Column("step", _("Whose turn"), "step", lambda r: r.get_step_display()),
            Column("going", _("On the way"), "", lambda r: _("yes") if r.going_by_id else ""),
        ),
    )
    rows = selectors.desk(request.actor, request.scope.path)
    return answer(request, page, rows, tab="desk", manages=request.actor.may_anywhere(MANAGE))


@needs("welfare.view")
def check(request: PageRequest, check_id: int) -> HttpResponse:
    """One check for whoever looks in: please look in, where, whom to call, four answers. Opening it is recorded."""
    found = selectors.desk_one(request.actor, check_id)
    problem, status = "", 200
    if request.method == "POST":
        try:
            done = services.answer(request.actor, check_id, request.POST.get("act", ""))
            messages.success(request, _("Noted. Thank you."))
            return redirect("community:welfare:desk") if done.ended_at else redirect(request.path)
        except Invalid as refusal:
            problem, status = str(refusal.errors[0].message), 422
        except Conflict as refusal:
            problem, status = refusal.detail, 409
    context = {
        "check": found,
        "called": services.look(request.actor, check_id),
        "entries": selectors.entries(found),
        "problem": problem,
    }
    return render(request, "community/welfare/check.html", context, status=status)
