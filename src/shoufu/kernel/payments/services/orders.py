import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.parties.models import Organisation, Person
from shoufu.kernel.payments import books, money
from shoufu.kernel.payments.models import Order, OrderLine, Performer
from shoufu.kernel.payments.services.common import ORDER, change, lock_for, need_version, person_of, say
from shoufu.kernel.places.models import Place

MOST_LINES = 100
MOST_MINUTES = 30 * 24 * 60


@dataclass(frozen=True)
class LineDraft:
    """`quantity` × `unit_minor` − `discount_minor`; `insurance_minor` of it is the insurance's part."""

    title: str
    unit_minor: int
    quantity: int = 1
    discount_minor: int = 0
    insurance_minor: int = 0
    item: str = ""

    @property
    def gross(self) -> int:
        return self.quantity * self.unit_minor

    @property
    def amount(self) -> int:
        return self.gross - self.discount_minor


@dataclass(frozen=True)
class OrderDraft:
    """An order as somebody asks for it. `minutes` is how long it may be paid (None: until it is paid or cancelled);
    `key` makes asking again the same order.

    `draft` leaves it unissued: it can be cancelled without a trace in the books.
    """

    place_id: int
    institution_id: int
    title: str
    lines: Sequence[LineDraft]
    payer_id: int | None = None
    performer_id: int | None = None
    source: str = ""
    currency: str = "CNY"
    minutes: int | None = 30
    key: str = ""
    draft: bool = False

    def digest(self) -> str:
        return digest(asdict(self))


def digest(values: object) -> str:
    """SHA-256 of what was asked, to tell the same question from another one under the same key."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def create_order(actor: Actor, draft: OrderDraft) -> Order:
    """Make an order; unless it is a draft it is to be paid at once. The same key again gives the first order
    (Conflict where it asked for something else)."""
    known = _known(actor, draft)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _create(actor, draft)
    except IntegrityError:
        # The same key twice at once: the other one was first.
        known = _known(actor, draft)
        if known is None:
            raise
        return known


def _known(actor: Actor, draft: OrderDraft) -> Order | None:
    found = Order.objects.select_related("place").filter(request_key=draft.key).first() if draft.key else None
    if found is None:
        return None
    require(actor, ORDER, found.place)
    if found.request_hash != draft.digest():
        raise Conflict(_("This key was used for another order."), number=found.number)
    return found


def _create(actor: Actor, draft: OrderDraft) -> Order:
    place, institution = _where(actor, draft)
    _check(draft)
    gross, discount = sum(one.gross for one in draft.lines), sum(one.discount_minor for one in draft.lines)
    insurance = sum(one.insurance_minor for one in draft.lines)
    now = timezone.now()
    order = Order.objects.create(
        number=f"P{timezone.localdate(now):%Y%m%d}{secrets.token_hex(5)}",
        place=place,
        institution=institution,
        payer_id=draft.payer_id,
        title=draft.title.strip()[:120],
        source=draft.source[:64],
        currency=draft.currency,
        gross_minor=gross,
        discount_minor=discount,
        total_minor=gross - discount,
        insurance_minor=insurance,
        payer_minor=gross - discount - insurance,
        request_key=draft.key or None,
        request_hash=draft.digest(),
        created_by=actor.label[:120],
        created_at=now,
        expires_at=now + timedelta(minutes=draft.minutes) if draft.minutes is not None else None,
    )
    if draft.performer_id is not None:
        _name_performers(order, [draft.performer_id])
    OrderLine.objects.bulk_create(
        [
            OrderLine(
                order=order,
                position=n,
                item=one.item[:64],
                title=one.title.strip()[:120],
                quantity=one.quantity,
                unit_minor=one.unit_minor,
                discount_minor=one.discount_minor,
                insurance_minor=one.insurance_minor,
                amount_minor=one.amount,
            )
            for n, one in enumerate(draft.lines, 1)
        ]
    )
    say(order, actor, "created", amount=order.total_minor)
    data = {"number": order.number, "total": order.total_minor, "source": order.source}
    record(actor, Act("payments.order", order, place.pk, data=data))
    if not draft.draft:
        _issue(actor, order)
    return order


def _where(actor: Actor, draft: OrderDraft) -> tuple[Place, Organisation]:
    place = Place.objects.filter(pk=draft.place_id).first()
    if place is None:
        raise Invalid.one("place", _("There is no such place."))
    require(actor, ORDER, place)
    institution = Organisation.objects.select_related("place").filter(pk=draft.institution_id).first()
    if institution is None or not (
        place.path.startswith(institution.place.path) or institution.place.path.startswith(place.path)
    ):
        raise Invalid.one("institution", _("Choose an organisation that works at this place."))
    _need_person(actor, "payer", draft.payer_id)
    _need_person(actor, "performer", draft.performer_id)
    return place, institution


def _need_person(actor: Actor, field: str, person_id: int | None) -> None:
    """Somebody of the actor's places, or the actor: an order shows the names of both."""
    if person_id is None:
        return
    known = limit(Person.objects.filter(erased_at__isnull=True), actor, ORDER).filter(pk=person_id)
    if person_id != person_of(actor) and not known.exists():
        raise Invalid.one(field, _("There is no such person."))


def _check(draft: OrderDraft) -> None:
    errors = []
    if not draft.title.strip():
        errors.append(FieldError("title", _("Say what is sold.")))
    if draft.currency not in money.DIGITS:
        errors.append(FieldError("currency", _("Use one of: %(codes)s.") % {"codes": ", ".join(money.DIGITS)}))
    if not 1 <= len(draft.lines) <= MOST_LINES:
        errors.append(FieldError("lines", _("From 1 to %(most)s lines.") % {"most": MOST_LINES}))
    if draft.minutes is not None and not 1 <= draft.minutes <= MOST_MINUTES:
        errors.append(FieldError("minutes", _("From 1 minute to 30 days.")))
    for n, one in enumerate(draft.lines):
        errors += _line_errors(f"lines/{n}", one)
    if errors:
        raise Invalid(*errors)


def _line_errors(where: str, one: LineDraft) -> list[FieldError]:
    found = []
    if not one.title.strip():
        found.append(FieldError(f"{where}/title", _("Say what is sold.")))
    if one.quantity < 1 or one.unit_minor < 0 or one.quantity * one.unit_minor > money.MOST_MINOR:
        found.append(FieldError(f"{where}/quantity", _("At least one, at a price of zero or more.")))
    if not 0 <= one.discount_minor <= one.gross:
        found.append(FieldError(f"{where}/discount", _("From zero to the price.")))
    elif not 0 <= one.insurance_minor <= one.amount:
        found.append(FieldError(f"{where}/insurance", _("From zero to the price after the discount.")))
    return found


def _issue(actor: Actor, order: Order) -> None:
    """It is to be paid from now on; where nothing is left for the payer it is paid."""
    order.state = Order.State.PENDING
    books.issued(order)
    if order.payer_minor == 0:
        order.state, order.paid_at = Order.State.PAID, timezone.now()
        change(order, actor, "paid", amount=0)
        return
    change(order, actor, "issued", amount=order.payer_minor)


@transaction.atomic
def issue(actor: Actor, order_id: int, version: int | None = None) -> Order:
    """Ask for the payment of a draft."""
    order = lock_for(actor, order_id, ORDER)
    need_version(order, version)
    if order.state != Order.State.DRAFT:
        raise Conflict(_("Only a draft can be issued; this order is “%(s)s”.") % {"s": order.get_state_display()})
    _issue(actor, order)
    record(actor, Act("payments.issue", order, order.place_id, data={"number": order.number}))
    return order


@transaction.atomic
def prolong(actor: Actor, order_id: int, until: datetime | None) -> Order:
    """Let an order be paid until a later moment than so far (it is paid when the service is given); None: until it is
    paid or cancelled, because the service was given and what is owed does not lapse."""
    order = lock_for(actor, order_id, ORDER, payer=True)
    now = timezone.now()
    if order.state != Order.State.PENDING:
        raise Conflict(_("This order is “%(s)s”; there is nothing to pay.") % {"s": order.get_state_display()})
    if until is not None and not now < until <= now + timedelta(minutes=2 * MOST_MINUTES):
        raise Invalid.one("until", _("From now to 60 days ahead."))
    if order.expires_at is not None and (until is None or order.expires_at < until):
        order.expires_at = until
        change(order, actor, "prolonged")
        data = {"number": order.number, "until": until.isoformat() if until is not None else None}
        record(actor, Act("payments.prolong", order, order.place_id, data=data))
    return order


@transaction.atomic
def set_performers(actor: Actor, order_id: int, people: Sequence[int]) -> Order:
    """Say who did the work, for the settlement: several share equally. Refused once the order is in one."""
    order = lock_for(actor, order_id, ORDER)
    if order.settlement_lines.exists():
        raise Conflict(_("The order is in a settlement already."))
    for one in people:
        _need_person(actor, "performer", one)
    _name_performers(order, people)
    change(order, actor, "performer")
    record(actor, Act("payments.performer", order, order.place_id, data={"people": list(people)}))
    return order


def _name_performers(order: Order, people: Sequence[int]) -> None:
    order.performers.all().delete()
    rows = [
        Performer(order=order, position=n, person_id=one, account=books.person_account(one))
        for n, one in enumerate(dict.fromkeys(people))
    ]
    Performer.objects.bulk_create(rows)


def end_unpaid(actor: Actor, order: Order, state: str, kind: str, text: str = "") -> None:
    """A locked order that nobody will pay any more: the claims leave the books, its attempts are closed."""
    if order.state == Order.State.PENDING or order.without_payer:
        books.voided(order)
    order.state, order.paid_at, order.ended_at = state, None, timezone.now()
    order.payments.filter(state="started").update(state="closed")
    change(order, actor, kind, text=text)
