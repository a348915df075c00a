import logging
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.access.policy import limit, require, subtree
from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.payments.models import Difference, Order, OrderEvent
from shoufu.kernel.places.models import Place

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)
VIEW, ORDER, CONFIRM = "payments.view", "payments.order", "payments.confirm"
REFUND, RECONCILE, SETTLE = "payments.refund", "payments.reconcile", "payments.settle"


def person_of(actor: Actor) -> int | None:
    """The person behind a user, if there is one."""
    if actor.user_id is None:
        return None
    return User.objects.filter(pk=actor.user_id).values_list("person_id", flat=True).first()


@cache
def kept() -> dict[str, str]:
    """Which right the orders of some apps need besides `payments.view`, by how their source begins."""
    return {begin: right for said in hooks.named("orders_kept") for begin, right in said().items()}


def seen(rows: QuerySet[M], actor: Actor, order: str = "") -> QuerySet[M]:
    """Orders that the actor may see, or rows that belong to one by the path `order` ("payment__order__")."""
    rows = limit(rows, actor, VIEW, f"{order}place__path")
    if actor.is_system:
        return rows
    for begin, right in kept().items():
        other = ~Q(**{f"{order}source__startswith": begin})
        rows = rows.filter(other | subtree(actor.paths(right), f"{order}place__path"))
    return rows


def _rows() -> QuerySet[Order]:
    return Order.objects.select_related("place", "institution").select_for_update(of=("self",))


def lock(order_id: int) -> Order:
    """The order, locked until the transaction ends; every change of an order, its payments and refunds begins so."""
    return _rows().get(pk=order_id)


def lock_for(actor: Actor, order_id: int, permission: str, *, payer: bool = False) -> Order:
    """The order, locked, for somebody with the right at its place (with `payer`, also for who has to pay it)."""
    if payer and (person := person_of(actor)) is not None:
        own = _rows().filter(pk=order_id, payer=person).first()
        if own is not None:
            return own
    found = seen(_rows(), actor).filter(pk=order_id).first()
    if found is None:
        raise NotFound(_("There is no order %(id)s that you may see.") % {"id": order_id})
    require(actor, permission, found.place)
    return found


def need_version(order: Order, version: int | None) -> None:
    """Conflict where the caller looked at another version of the order."""
    if version is not None and version != order.version:
        raise Conflict(
            _("Somebody else changed the order: it is “%(state)s”.") % {"state": order.get_state_display()},
            version=order.version,
            state=order.state,
        )


def change(order: Order, actor: Actor, kind: str, *, amount: int | None = None, text: str = "") -> None:
    """Save a changed order, write its timeline and tell the apps that wait for it."""
    order.version += 1
    order.save()
    say(order, actor, kind, amount=amount, text=text)
    tell(order, actor, kind)


def tell(order: Order, actor: Actor, kind: str) -> None:
    """Tell the apps that wait for it what happened to an order."""
    change = hooks.OrderChange(order.pk, order.source, kind, order.state)
    for listener in hooks.named("order_changed"):
        _tell(listener, actor, change)


def _tell(listener: Callable[[Actor, hooks.OrderChange], None], actor: Actor, change: hooks.OrderChange) -> None:
    """In a savepoint of its own: money that came stays booked whatever an app makes of the news."""
    try:
        with transaction.atomic():
            listener(actor, change)
    except Exception:
        log.exception("%s failed at order %s, %s", listener.__module__, change.order, change.kind)


def say(order: Order, actor: Actor, kind: str, *, amount: int | None = None, text: str = "") -> None:
    """A line on the order's timeline."""
    OrderEvent.objects.create(
        order=order,
        at=timezone.now(),
        kind=kind,
        by=actor.label[:120],
        user_id=actor.user_id,
        amount_minor=amount,
        text=text[:200],
    )


def differ(
    kind: str,
    provider: str,
    trade: str,
    *,
    order: Order | None = None,
    refund: str = "",
    ours: int | None = None,
    theirs: int | None = None,
    text: str = "",
) -> Difference:
    """Note a difference for a person to look at; one that is open already stays as it is."""
    found = Difference.objects.filter(
        provider=provider, kind=kind, trade=trade, refund=refund, resolved_at__isnull=True
    ).first()
    if found is not None:
        return found
    place = order.place if order is not None else Place.objects.order_by("depth", "pk").first()
    if place is None:
        raise NotFound(_("There is no place yet to which a difference could belong."))
    now = timezone.now()
    return Difference.objects.create(
        kind=kind,
        provider=provider,
        trade=trade,
        refund=refund,
        order=order,
        place=place,
        day=timezone.localdate(now),
        ours_minor=ours,
        theirs_minor=theirs,
        text=text[:200],
        found_at=now,
    )
