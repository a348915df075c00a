from collections.abc import Callable

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors, services
from shoufu.kernel.cases.models import Case, Severity
from shoufu.kernel.cases.pages.words import kind_label, role_label, title_of
from shoufu.kernel.places.selectors import with_names


def waiting(request: PageRequest) -> selectors.QueueCounts:
    """The numbers of the queue in this request's scope, counted once however many parts of the page show them."""
    found: selectors.QueueCounts | None = getattr(request, "_waiting", None)
    if found is None:
        found = selectors.queue_counts(request.actor, request.scope.path)
        request._waiting = found  # type: ignore[attr-defined]
    return found


def _choices(field: str) -> Callable[[QuerySet[Case], str], QuerySet[Case]]:
    return lambda rows, value: rows.filter(**{f"{field}__in": value.split(",")})


def _state(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
    return rows.filter(state__in=Case.OPEN if value == "open" else value.split(","))


def _text(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
    return (
        rows.filter(title__icontains=value)
        | rows.filter(number__icontains=value)
        | rows.filter(title_en__icontains=value)
    )


def _day(field: str) -> Callable[[QuerySet[Case], str], QuerySet[Case]]:
    def narrow(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
        try:
            day = parse_date(value)
        except ValueError:
            day = None
        if day is None:
            raise Invalid.one(field, _("Not a day. Write it like 2026-11-23."))
        return rows.filter(**{field: day})

    return narrow


def list_page() -> ListPage:
    """The list of cases, in the reader's language."""
    kinds = [(code, kind_label(code)) for code in registry.case_kinds()]
    return ListPage(
        title=_("Cases"),
        name="cases",
        row="cases/row.html",
        default_sort="-opened",
        empty=_("Cases appear here when a rule fires or somebody reports one. Switch on a rule to begin."),
        columns=(
            Column("severity", _("Severity"), "severity_rank", lambda c: c.get_severity_display()),
            Column("number", _("Case"), "number", lambda c: c.number),
            Column("title", _("What"), csv=title_of, css="d-none"),
            Column("place", _("Where"), "place__path", lambda c: c.place.label),
            Column("opened", _("Since"), "opened_at", lambda c: timezone.localtime(c.opened_at).isoformat()),
            Column("state", _("State"), "state", lambda c: c.get_state_display()),
            Column("turn", _("Whose turn"), "", lambda c: c.assignee.label if c.assignee else role_label(c.role)),
            Column("outcome", _("Outcome"), "", lambda c: c.outcome),
        ),
        filters=(
            Filter(
                "state",
                _("State"),
                _state,
                [("open", _("Open ones")), *((code, str(word)) for code, word in Case.State.choices)],
            ),
            Filter("severity", _("Severity"), _choices("severity"), Severity.choices),
            Filter("kind", _("Kind"), _choices("kind"), kinds),
            Filter("day", _("Day (2026-11-23)"), _day("opened_at__date")),
            Filter("text", _("Number or words"), _text),
        ),
        bulk=(
            Bulk(_("Acknowledge"), reverse("cases:bulk", args=["acknowledge"]), "hand-stop"),
            Bulk(_("False alarm"), reverse("cases:bulk", args=["false_alarm"]), "x", ask=_("What it was instead")),
        ),
    )


@needs("cases.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Cases of the scope: filters in the address, sort, page, CSV, act on many."""
    rows = selectors.listing(request.actor, selectors.CaseFilter(place=request.scope.path))
    return answer(request, list_page(), with_names(rows).defer("device__config"))


@require_POST
@needs("cases.handle")
def bulk(request: PageRequest, name: str) -> HttpResponseBase:
    """Acknowledge many, or call many false alarms; says how many somebody else had taken."""
    ids = [int(text) for text in request.POST.getlist("ids") if text.isdigit()]
    if name == "acknowledge":
        done, left = services.acknowledge_many(request.actor, ids)
    elif name == "false_alarm":
        done, left = services.false_alarm_many(request.actor, ids, request.POST.get("reason", ""))
    else:
        raise NotFound(_("There is no such action."))
    said = ngettext("%(n)d case done.", "%(n)d cases done.", len(done)) % {"n": len(done)}
    if left:
        said += " " + ngettext(
            "%(n)d was left alone: somebody else had it or it allows no such step.",
            "%(n)d were left alone: somebody else had them or they allow no such step.",
            len(left),
        ) % {"n": len(left)}
    messages.success(request, said)
    return redirect("cases:list")


@needs("cases.handle")
def report(request: PageRequest) -> HttpResponseBase:
    """Report a case by hand."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        place = request.POST.get("place", "")
        draft = services.CaseReport(
            place_id=int(place) if place.isdigit() else 0,
            title=request.POST.get("title", ""),
            severity=request.POST.get("severity", "medium"),
            text=request.POST.get("text", ""),
        )
        try:
            case = services.report(request.actor, draft)
            return redirect("cases:detail", case.pk)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
    from shoufu.kernel.places import selectors as places

    spots = places.subtree(request.actor, request.scope.place).exclude(kind="door")[:500]
    return render(
        request,
        "cases/report.html",
        {"form": form, "places": spots, "severities": Severity.choices},
        status=status,
    )
