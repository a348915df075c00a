from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.audit import selectors
from shoufu.kernel.audit.verify import verify as verify_chain
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs


def list_page() -> ListPage:
    return ListPage(
        title=_("Audit"),
        name="audit",
        row="audit/row.html",
        template="audit/list.html",
        empty=_("Every write and every look at personal data is listed here."),
        columns=(
            Column("at", _("When"), "at", lambda e: e.at),
            Column("who", _("Who"), "who", lambda e: e.who),
            Column("action", _("What"), "action", lambda e: e.action),
            Column("object", _("Object"), "", lambda e: f"{e.object_type} {e.object_id}".strip()),
            Column("reason", _("Reason"), "", lambda e: e.reason),
            Column("data", _("Details"), "", lambda e: e.data),
        ),
        filters=(
            Filter("who", _("Who"), lambda rows, value: rows.filter(who__icontains=value)),
            Filter("action", _("Action"), lambda rows, value: rows.filter(action__startswith=value)),
            Filter(
                "looks",
                _("Looks at personal data"),
                lambda rows, value: rows.filter(subject__isnull=False),
                [("1", _("Only looks and changes of people"))],
            ),
            Filter("object", _("Object id"), lambda rows, value: rows.filter(object_id=value)),
        ),
    )


@needs("audit.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Who did or looked at what, newest first, and how the chain stands."""
    rows = selectors.entries(request.actor, request.scope.path)
    return answer(request, list_page(), rows, chain=selectors.chain_state())


@require_POST
@needs("audit.view")
def verify(request: PageRequest) -> HttpResponseBase:
    """Prove the chain whole, or say what is not as it was written."""
    report = verify_chain()
    if report.whole:
        said = _("The chain is whole: %(entries)d entries, %(roots)d signed roots, %(pending)d waiting to be chained.")
        messages.success(request, said % {"entries": report.entries, "roots": report.roots, "pending": report.pending})
    else:
        messages.error(
            request,
            _("The chain is NOT whole: %(first)s (%(n)d findings)")
            % {"first": report.findings[0].text, "n": len(report.findings)},
        )
    return redirect("audit:list")
