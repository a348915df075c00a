from collections.abc import Callable, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer, csv_response
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.payments import money, providers, selectors, services
from shoufu.kernel.payments.models import Difference, Provider, Settlement
from shoufu.kernel.payments.pages.forms import tried


def _open(rows: QuerySet[Difference], value: str) -> QuerySet[Difference]:
    return rows.filter(resolved_at__isnull=value == "open")


def _trade(rows: QuerySet[Difference], value: str) -> QuerySet[Difference]:
    return rows.filter(trade__icontains=value) | rows.filter(refund__icontains=value)


def differences_page() -> ListPage:
    """The list of differences, in the reader's language."""
    return ListPage(
        title=_("Differences with providers"),
        name="differences",
        row="payments/difference_row.html",
        template="payments/differences.html",
        default_sort="-day",
        empty=_("Everything agrees with the providers. What does not appears here, every morning and at once."),
        columns=(
            Column("day", _("Day"), "day", lambda d: str(d.day)),
            Column("provider", _("Provider"), "provider", lambda d: d.get_provider_display()),
            Column("kind", _("What"), "kind", lambda d: d.get_kind_display()),
            Column("trade", _("Number"), "trade", lambda d: f"{d.trade} {d.refund}".strip()),
            Column("ours", _("Here"), "", lambda d: _plain(d.ours_minor), "num"),
            Column("theirs", _("There"), "", lambda d: _plain(d.theirs_minor), "num"),
            Column("state", _("State"), "resolved_at", lambda d: d.reason or _("Not resolved")),
        ),
        filters=(
            Filter("open", _("State"), _open, [("open", _("Open ones")), ("done", _("Resolved"))]),
            Filter("kind", _("What"), lambda rows, value: rows.filter(kind=value), Difference.Kind.choices),
            Filter("provider", _("Provider"), lambda rows, value: rows.filter(provider=value), Provider.choices),
            Filter("text", _("Number"), _trade),
        ),
    )


def _plain(amount: int | None) -> str:
    return "" if amount is None else money.plain(amount)


def _differences(request: PageRequest, form: FormState | None = None, status: int = 200) -> HttpResponseBase:
    rows = selectors.differences(request.actor).filter(place__path__startswith=request.scope.path)
    found = answer(
        request,
        differences_page(),
        rows,
        runs=selectors.reconciliations(request.actor),
        may_compare=request.actor.may_anywhere("payments.reconcile"),
        providers=[code for code in providers.configured() if code != Provider.OFFLINE],
        yesterday=timezone.localdate(timezone.now(), ZoneInfo("Asia/Shanghai")) - timedelta(days=1),
        form=form or FormState(),
    )
    found.status_code = status
    return found


@needs("payments.view")
def differences(request: PageRequest) -> HttpResponseBase:
    """Differences of the scope, and the newest comparisons with the bills."""
    return _differences(request)


@require_POST
@needs("payments.reconcile")
def compare(request: PageRequest) -> HttpResponseBase:
    """Compare a day with a provider's bill now."""

    def act() -> None:
        services.reconcile(request.actor, request.POST.get("provider", ""), _day(request, "day"))

    form, status = tried(request, act)
    return redirect("payments:differences") if form is None else _differences(request, form, status)


def _day(request: PageRequest, name: str) -> date:
    try:
        return date.fromisoformat(request.POST.get(name, ""))
    except ValueError as error:
        raise Invalid.one(name, _("Write a day such as 2026-11-29.")) from error


def _difference(request: PageRequest, difference_id: int, form: FormState, status: int = 200) -> HttpResponse:
    found = selectors.difference(request.actor, difference_id)
    context = {
        "difference": found,
        "may": request.actor.may("payments.reconcile", found.place.path),
        "resolutions": Difference.Resolution.choices,
        "form": form,
    }
    return render(request, "payments/difference.html", context, status=status)


@needs("payments.view")
def difference(request: PageRequest, difference_id: int) -> HttpResponseBase:
    """One difference, and what became of it; posting resolves it with a reason."""
    if request.method != "POST":
        return _difference(request, difference_id, FormState())
    words = (request.POST.get("resolution", ""), request.POST.get("reason", ""))
    form, status = tried(request, lambda: services.resolve(request.actor, difference_id, *words))
    if form is not None:
        return _difference(request, difference_id, form, status)
    return redirect("payments:difference", difference_id)


def settlements_page() -> ListPage:
    """The list of settlements, in the reader's language."""
    return ListPage(
        title=_("Settlements"),
        name="settlements",
        row="payments/settlement_row.html",
        template="payments/settlements.html",
        default_sort="-since",
        empty=_("What institutions and carers earned is settled here in batches. Make the first one above."),
        columns=(
            Column("number", _("Settlement"), "number", lambda s: s.number),
            Column("institution", _("Institution"), "institution__name", lambda s: s.institution.name),
            Column("since", _("Days settled"), "since", lambda s: f"{s.since} – {s.last}"),
            Column("state", _("State"), "state", lambda s: s.get_state_display()),
            Column("total", _("Total"), "total_minor", lambda s: money.plain(s.total_minor), "num"),
        ),
        filters=(Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Settlement.State.choices),),
    )


def _settlements(request: PageRequest, form: FormState | None = None, status: int = 200) -> HttpResponseBase:
    path = request.scope.path
    rows = selectors.settlements(request.actor).filter(institution__place__path__startswith=path)
    found = answer(
        request,
        settlements_page(),
        rows,
        institutions=selectors.institutions(request.actor, "payments.settle").filter(orders__isnull=False).distinct(),
        form=form or FormState(),
    )
    found.status_code = status
    return found


@needs("payments.settle")
def settlements(request: PageRequest) -> HttpResponseBase:
    """Settlements of the scope; posting drafts a new one."""
    if request.method != "POST":
        return _settlements(request)
    made: list[Settlement] = []

    def act() -> None:
        institution = request.POST.get("institution", "")
        if not institution.isdigit():
            raise Invalid.one("institution", _("Choose an institution."))
        until = _day(request, "until") + timedelta(days=1)
        made.append(services.draft_settlement(request.actor, int(institution), _day(request, "since"), until))

    form, status = tried(request, act)
    return _settlements(request, form, status) if form is not None else redirect("payments:settlement", made[0].pk)


def _settlement(request: PageRequest, settlement_id: int, form: FormState, status: int = 200) -> HttpResponse:
    found = selectors.settlement(request.actor, settlement_id)
    context = {"settlement": found, "payees": selectors.payees(found), "form": form}
    return render(request, "payments/settlement.html", context, status=status)


@needs("payments.settle")
def settlement(request: PageRequest, settlement_id: int) -> HttpResponseBase:
    """One settlement: who gets what, order by order; `?format=csv` is the statement."""
    if request.GET.get("format") == "csv":
        return _statement(request, settlement_id)
    return _settlement(request, settlement_id, FormState())


def _statement(request: PageRequest, settlement_id: int) -> HttpResponseBase:
    found = selectors.settlement(request.actor, settlement_id)
    names = {account: name for name, account, _count, _sum, _paid in selectors.payees(found)}
    rows = (
        {
            _("Settlement"): found.number,
            _("Payee"): names[line.account],
            _("Ledger account"): line.account,
            _("Order number"): line.order.number,
            _("For"): line.order.title,
            _("Earned"): money.plain(line.base_minor, found.currency),
            _("Share in per cent"): f"{line.points / 100:.2f}",
            _("Amount"): money.plain(line.amount_minor, found.currency),
        }
        for line in found.lines.all()
    )
    return csv_response(rows, found.number)


STEPS: Mapping[str, Callable[[PageRequest, int], object]] = {
    "confirm": lambda request, pk: services.confirm_settlement(request.actor, pk),
    "drop": lambda request, pk: services.drop_settlement(request.actor, pk),
    "pay": lambda request, pk: services.pay_out(request.actor, pk, request.POST.get("reference", "")),
}


@require_POST
@needs("payments.settle")
def act_settlement(request: PageRequest, settlement_id: int, step: str) -> HttpResponseBase:
    """Confirm, drop or pay a settlement."""
    if step not in STEPS:
        raise NotFound(request.path)
    form, status = tried(request, lambda: STEPS[step](request, settlement_id))
    if form is not None:
        return _settlement(request, settlement_id, form, status)
    return redirect("payments:settlement", settlement_id)
