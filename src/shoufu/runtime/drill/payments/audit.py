"""What the books of the drill should say, counted by plain SQL and compared with the gateway's own sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.payments import books, providers, services
from shoufu.kernel.payments.models import Difference, Order

if TYPE_CHECKING:
    from shoufu.runtime.drill.payments.run import Sold

UNEVEN = """
    select j.key from payments_journal j left join payments_ledgerentry e on e.journal_id = j.id
    group by j.key having coalesce(sum(e.amount_minor), 1) <> 0
"""
TWICE = """
    select count(*) from (
        select order_id from payments_journal where kind = 'pay' group by order_id having count(*) > 1
        union all
        select id from payments_order o where paid_minor <> coalesce(
            (select sum(e.amount_minor) from payments_ledgerentry e join payments_journal j on j.id = e.journal_id
             join payments_account a on a.id = e.account_id
             where j.order_id = o.id and j.kind = 'pay' and a.code like 'clearing:%'), 0)) as wrong
"""
CLEARED = """
    select coalesce(sum(e.amount_minor), 0) from payments_ledgerentry e
    join payments_account a on a.id = e.account_id where a.code = %s
"""


def _rows(statement: str, *values: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        # The percent of LIKE is one only where values are given.
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def differences() -> int:
    """Compare the day with both bills (lost callbacks are asked after, as every morning); how many minor units differ,
    and one more for each open difference between the two."""
    day = timezone.localdate(timezone.now(), ZoneInfo("Asia/Shanghai"))
    off = 0
    for code in ("wechat", "alipay"):
        done = services.compare_day(SYSTEM, code, day, providers.adapter(code).bill(day))
        off += abs(done.ours_minor - done.theirs_minor)
    kinds = ["missing_here", "missing_there", "state", "surplus"]
    return off + Difference.objects.filter(kind__in=kinds, resolved_at__isnull=True).count()


def double_credits() -> int:
    """Orders with two postings of a payment, or with other money in the books than they say."""
    return int(_rows(TWICE)[0][0])


def wrong_books(sold: Sequence[Sold], state: Mapping[str, Any]) -> Iterator[str]:
    """Everything in the books that is not as it should be."""
    for (key,) in _rows(UNEVEN):
        yield f"journal {key} does not sum to zero"
    for number in books.wrong_orders():
        yield f"order {number} does not agree with the books"
    for code in ("wechat", "alipay"):
        ((booked,),) = _rows(CLEARED, f"clearing:{code}")
        there = state["received"][code] - state["refunded"][code]
        if booked != there:
            yield f"{code}: the books say {booked}, the gateway {there}"
    yield from _wrong_orders(sold)


def _wrong_orders(sold: Sequence[Sold]) -> Iterator[str]:
    orders = Order.objects.in_bulk([one.order for one in sold])
    for one in sold:
        order = orders[one.order]
        paid = order.payer_minor if one.paid else 0
        if (order.paid_minor, order.refunded_minor) != (paid, one.back):
            found = f"{order.paid_minor} paid and {order.refunded_minor} back"
            yield f"order {order.number}: {found}, not {paid} and {one.back}"
