from django.http import HttpResponse
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.scenes.homecare.planning import selectors, services, showing
from shoufu.scenes.homecare.planning.pages.deeds import address, changed, shown


@needs(selectors.PLAN)
def proposal(request: PageRequest, proposal_id: int) -> HttpResponse:
    """A proposal: before and after, who moves, what stays open and why; taken, or not."""
    row = selectors.proposal(request.actor, proposal_id)
    back = address(row.institution, row.day)
    form, status = FormState(), 200
    if request.method == "POST":
        act = request.POST.get("act", "")
        try:
            if act == "take":
                services.take(request.actor, row.pk)
                return changed(request, back, _("The plan was changed."))
            if act == "drop":
                services.drop(request.actor, row.pk)
                return changed(request, back, _("Left as it was."))
            raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "take, drop"})
        except (Conflict, Forbidden) as problem:
            form.problem, status = problem.detail, problem.status
            row.refresh_from_db()
    context = {"proposal": row, "about": showing.proposal(row), "form": form, "back": back}
    return shown(request, "proposal", context, status)
