from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.payments import money, providers, receipts, selectors, services
from shoufu.kernel.payments.models import Order, Payment, Provider
from shoufu.kernel.payments.pages.forms import tried


def _state(rows: QuerySet[Order], value: str) -> QuerySet[Order]:
    return rows.filter(state=value)


def _provider(rows: QuerySet[Order], value: str) -> QuerySet[Order]:
    return rows.filter(payments__provider=value, payments__received_minor__gt=0).distinct()


def _text(rows: QuerySet[Order], value: str) -> QuerySet[Order]:
    trade = Payment.objects.filter(Q(number=value) | Q(trade_no=value)).values("order")
    return rows.filter(Q(number__icontains=value) | Q(title__icontains=value) | Q(pk__in=trade))


def _cell(field: str) -> Callable[[Order], str]:
    return lambda order: money.plain(getattr(order, field), order.currency)


def list_page() -> ListPage:
    """The list of orders, in the reader's language."""
    return ListPage(
        title=_("Orders"),
        name="orders",
        row="payments/order_row.html",
        template="payments/orders.html",
        default_sort="-created",
        empty=_("Orders of bookings and services appear here. They are made by the services that sell something."),
        columns=(
            Column("number", _("Order number"), "number", lambda o: o.number),
            Column("title", _("For"), "title", lambda o: o.title),
            Column("institution", _("Institution"), "institution__name", lambda o: o.institution.name),
            Column("created", _("Made at"), "created_at", lambda o: timezone.localtime(o.created_at).isoformat()),
            Column("state", _("State"), "state", lambda o: o.get_state_display()),
            Column("total", _("Total"), "total_minor", _cell("total_minor"), "num"),
            Column("payer", _("Payer's part"), "payer_minor", _cell("payer_minor"), "num"),
            Column("paid", _("Paid"), "paid_minor", _cell("paid_minor"), "num"),
            Column("back", _("Paid back"), "refunded_minor", _cell("refunded_minor"), "num"),
        ),
        filters=(
            Filter("state", _("State"), _state, Order.State.choices),
            Filter("provider", _("Paid by"), _provider, Provider.choices),
            Filter("text", _("Number or words"), _text),
        ),
    )


@needs("payments.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Orders of the scope: filters in the address, sort, page, CSV."""
    rows = selectors.orders(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, list_page(), rows)


def _detail(request: PageRequest, order_id: int, form: FormState | None = None, status: int = 200) -> HttpResponse:
    order = selectors.order(request.actor, order_id)
    may = {
        name: request.actor.may(f"payments.{name}", order.place.path)
        for name in ("order", "confirm", "refund", "reconcile")
    }
    context = {
        "order": order,
        "journals": selectors.journals(request.actor, order),
        "may": may,
        "may_cancel": may["refund"] if order.without_payer else may["order"] and order.state in Order.OPEN,
        "left": sum(one.received_minor - one.refunds_minor for one in order.payments.all() if one.state == "paid"),
        "plain_due": money.plain(order.payer_minor, order.currency),
        "providers": [code for code in providers.configured() if code != Provider.OFFLINE],
        "key": uuid4().hex,
        "form": form or FormState(),
    }
    return render(request, "payments/order.html", context, status=status)


@needs("payments.view")
def detail(request: PageRequest, order_id: int) -> HttpResponseBase:
    """One order: lines, sums, payments, refunds, timeline and what was booked."""
    return _detail(request, order_id)


def _pay(request: PageRequest, order_id: int) -> None:
    services.start_payment(request.actor, order_id, request.POST.get("provider", ""))


def _confirm(request: PageRequest, order_id: int) -> None:
    amount = money.minor(request.POST.get("amount", ""))
    services.confirm_offline(request.actor, order_id, amount, request.POST.get("reference", ""), _version(request))


def _cancel(request: PageRequest, order_id: int) -> None:
    services.cancel(request.actor, order_id, request.POST.get("reason", ""), _version(request))


def _refund(request: PageRequest, order_id: int) -> None:
    amount = money.minor(request.POST.get("amount", ""))
    payment = request.POST.get("payment", "")
    draft = services.RefundDraft(
        order_id,
        amount,
        request.POST.get("reason", ""),
        int(payment) if payment.isdigit() else None,
        services.key_of(request.actor, request.POST.get("key", "")),
    )
    services.request_refund(request.actor, draft)


def _issue(request: PageRequest, order_id: int) -> None:
    services.issue(request.actor, order_id, _version(request))


def _refunded(request: PageRequest, order_id: int) -> None:
    number = request.POST.get("refund", "")
    order = selectors.order(request.actor, order_id)
    known = {str(one.pk) for payment in order.payments.all() for one in payment.refunds.all()}
    if number not in known:
        raise NotFound(_("There is no refund %(id)s that you may see.") % {"id": number})
    services.confirm_refund(request.actor, int(number), request.POST.get("reference", ""))


ACTS: Mapping[str, Callable[[PageRequest, int], None]] = {
    "pay": _pay,
    "confirm": _confirm,
    "cancel": _cancel,
    "refund": _refund,
    "issue": _issue,
    "refunded": _refunded,
}


def _version(request: PageRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdigit() else None


@require_POST
@needs("payments.view")
def act(request: PageRequest, order_id: int, step: str) -> HttpResponseBase:
    """Do something with an order: pay, confirm, cancel, refund, issue, refunded."""
    selectors.order(request.actor, order_id)
    if step not in ACTS:
        raise NotFound(request.path)
    form, status = tried(request, lambda: ACTS[step](request, order_id))
    return redirect("payments:order", order_id) if form is None else _detail(request, order_id, form, status)


@needs("payments.view")
def receipt(request: PageRequest, order_id: int) -> HttpResponseBase:
    """The receipt as PDF."""
    order = selectors.order(request.actor, order_id)
    return pdf(receipts.receipt(request.actor, order), order.number)


def pdf(content: bytes, name: str) -> HttpResponse:
    """A PDF to keep; never from a cache."""
    headers: dict[str, Any] = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
