from datetime import date, datetime
from typing import Any

from ninja import Field, Header, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.payments import selectors, services
from shoufu.kernel.payments.models import Order

router = Router()
SORTS = {"number": "number", "created": "created_at", "state": "state", "total": "total_minor"}
KEY = Header("", alias="Idempotency-Key", max_length=64, description="The same key again gives the first answer")


class LineIn(Schema):
    title: str = Field(max_length=120)
    unit_minor: int = Field(description="Price of one, in minor units (fen)")
    quantity: int = 1
    discount_minor: int = 0
    insurance_minor: int = Field(0, description="Part of the line that the insurance bears")
    item: str = Field("", max_length=64)


class OrderIn(Schema):
    place: int
    institution: int
    title: str = Field(max_length=120)
    lines: list[LineIn]
    payer: int | None = None
    performer: int | None = None
    source: str = Field("", max_length=64)
    currency: str = "CNY"
    minutes: int = Field(30, description="How long it may be paid")
    draft: bool = False


class OrderOut(Schema):
    id: int
    number: str
    place: int = Field(alias="place_id")
    institution: int = Field(alias="institution_id")
    title: str
    source: str
    currency: str
    state: str
    gross_minor: int
    discount_minor: int
    total_minor: int
    insurance_minor: int
    payer_minor: int
    paid_minor: int
    refunded_minor: int
    created_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    version: int


class PayIn(Schema):
    provider: str = Field(description="wechat or alipay")


class PaymentOut(Schema):
    id: int
    number: str
    provider: str
    state: str
    amount_minor: int
    currency: str
    code_url: str


class ConfirmIn(Schema):
    amount_minor: int
    reference: str = Field(max_length=120)
    version: int | None = None


class ReasonIn(Schema):
    reason: str = Field(max_length=200)
    version: int | None = None


class RefundIn(Schema):
    amount_minor: int
    reason: str = Field(max_length=80)
    payment: int | None = Field(None, description="A payment for which nothing was due; else the order's own")


class RefundOut(Schema):
    id: int
    number: str
    state: str
    amount_minor: int
    insurance_minor: int
    reason: str
    error: str


class ReferenceIn(Schema):
    reference: str = Field(max_length=120)


class InsuranceIn(ReferenceIn):
    amount_minor: int


class PerformerIn(Schema):
    person: int
    others: list[int] = Field([], description="Who did it besides; they share equally")


class EntryOut(Schema):
    journal: str
    kind: str
    at: datetime
    account: str
    amount_minor: int
    currency: str


class DifferenceOut(Schema):
    id: int
    provider: str
    kind: str
    day: date
    order: int | None = Field(alias="order_id")
    trade: str
    refund: str
    ours_minor: int | None
    theirs_minor: int | None
    resolution: str
    reason: str
    resolved_at: datetime | None


class ResolveIn(Schema):
    resolution: str = Field(description="explained, provider, refunded or corrected")
    reason: str = Field(max_length=200)


class SettlementIn(Schema):
    institution: int
    since: date
    until: date


class SettlementOut(Schema):
    id: int
    number: str
    institution: int = Field(alias="institution_id")
    since: date
    until: date
    state: str
    total_minor: int
    reference: str


class ShareIn(Schema):
    payee: str = Field(description="performer, institution, or organisation:ID")
    points: int = Field(description="Hundredths of a per cent; all of them sum to 10,000")


class SharesIn(Schema):
    institution: int
    since: date
    shares: list[ShareIn]


@router.get("/orders", response=Page[OrderOut])
def list_orders(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Orders at one's places."""
    return answer(selectors.orders(request.actor), query, SORTS, OrderOut.from_orm, "orders")


@router.get("/mine", response=Page[OrderOut])
def my_orders(request: PageRequest, query: Query[ListQuery]) -> Any:
    """What one has to pay oneself, or paid."""
    return answer(selectors.own(request.actor), query, SORTS, OrderOut.from_orm, "orders")


@router.post("/orders", response={201: OrderOut})
def create_order(request: PageRequest, body: OrderIn, key: str = KEY) -> Status[Order]:
    """Make an order; unless it is a draft it is to be paid at once."""
    draft = services.OrderDraft(
        body.place,
        body.institution,
        body.title,
        tuple(services.LineDraft(**line.dict()) for line in body.lines),
        payer_id=body.payer,
        performer_id=body.performer,
        source=services.source_of(body.source),
        currency=body.currency,
        minutes=body.minutes,
        key=services.key_of(request.actor, key),
        draft=body.draft,
    )
    return Status(201, services.create_order(request.actor, draft))


@router.get("/orders/{int:order_id}", response=OrderOut)
def get_order(request: PageRequest, order_id: int) -> Any:
    """One order."""
    return selectors.order(request.actor, order_id)


@router.get("/orders/{int:order_id}/ledger", response=list[EntryOut])
def order_ledger(request: PageRequest, order_id: int) -> Any:
    """What was booked for an order; debit above zero, credit below."""
    journals = selectors.journals(request.actor, selectors.order(request.actor, order_id))
    return [
        EntryOut(
            journal=one.key,
            kind=one.kind,
            at=one.at,
            account=entry.account.code,
            amount_minor=entry.amount_minor,
            currency=entry.currency,
        )
        for one in journals
        for entry in one.entries.all()
    ]


@router.post("/orders/{int:order_id}/issue", response=OrderOut)
def issue(request: PageRequest, order_id: int) -> Any:
    """Ask for the payment of a draft."""
    return services.issue(request.actor, order_id)


@router.post("/orders/{int:order_id}/pay", response=PaymentOut)
def pay(request: PageRequest, order_id: int, body: PayIn) -> Any:
    """Ask a provider for the payment; `code_url` is what the QR code shows. The payer may do this for their own."""
    return services.start_payment(request.actor, order_id, body.provider)


@router.post("/orders/{int:order_id}/confirm", response=PaymentOut)
def confirm(request: PageRequest, order_id: int, body: ConfirmIn) -> Any:
    """Say that the whole amount came in cash or by transfer."""
    return services.confirm_offline(request.actor, order_id, body.amount_minor, body.reference, body.version)


@router.post("/orders/{int:order_id}/cancel", response=OrderOut)
def cancel(request: PageRequest, order_id: int, body: ReasonIn) -> Any:
    """Cancel an unpaid order. The payer may do this for their own."""
    return services.cancel(request.actor, order_id, body.reason, body.version)


@router.post("/orders/{int:order_id}/performer", response=OrderOut)
def set_performer(request: PageRequest, order_id: int, body: PerformerIn) -> Any:
    """Say who did the work."""
    return services.set_performers(request.actor, order_id, [body.person, *body.others])


@router.post("/orders/{int:order_id}/refunds", response={201: RefundOut})
def refund(request: PageRequest, order_id: int, body: RefundIn, key: str = KEY) -> Any:
    """Pay back, in part or whole."""
    draft = services.RefundDraft(
        order_id, body.amount_minor, body.reason, body.payment, services.key_of(request.actor, key)
    )
    return Status(201, services.request_refund(request.actor, draft))


@router.post("/orders/{int:order_id}/insurance")
def insurance(request: PageRequest, order_id: int, body: InsuranceIn) -> dict[str, int]:
    """Say that the insurance paid its share; what it still owes comes back."""
    return {"owed_minor": services.insurance_paid(request.actor, order_id, body.amount_minor, body.reference)}


@router.post("/orders/{int:order_id}/insurance-return")
def insurance_return(request: PageRequest, order_id: int, body: InsuranceIn) -> dict[str, int]:
    """Say that the insurance got back what it had paid of a refunded order; what it is still to get comes back."""
    left = services.insurance_returned(request.actor, order_id, body.amount_minor, body.reference)
    return {"left_minor": left}


@router.post("/refunds/{int:refund_id}/confirm", response=RefundOut)
def confirm_refund(request: PageRequest, refund_id: int, body: ReferenceIn) -> Any:
    """Say that the money of a refund in cash or by transfer went out."""
    return services.confirm_refund(request.actor, refund_id, body.reference)


@router.get("/differences", response=Page[DifferenceOut])
def list_differences(request: PageRequest, query: Query[ListQuery]) -> Any:
    """What does not agree with a provider's word."""
    sorts = {"day": "day", "kind": "kind", "provider": "provider"}
    return answer(selectors.differences(request.actor), query, sorts, DifferenceOut.from_orm, "differences")


@router.post("/differences/{int:difference_id}/resolve", response=DifferenceOut)
def resolve(request: PageRequest, difference_id: int, body: ResolveIn) -> Any:
    """Say what became of a difference."""
    return services.resolve(request.actor, difference_id, body.resolution, body.reason)


@router.get("/settlements", response=Page[SettlementOut])
def list_settlements(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Settlements of the institutions at one's places."""
    sorts = {"number": "number", "since": "since", "state": "state"}
    return answer(selectors.settlements(request.actor), query, sorts, SettlementOut.from_orm, "settlements")


@router.post("/settlements", response={201: SettlementOut})
def draft_settlement(request: PageRequest, body: SettlementIn) -> Any:
    """Gather what is to be settled from a day to before another."""
    made = services.draft_settlement(request.actor, body.institution, body.since, body.until)
    return Status(201, made)


@router.post("/settlements/{int:settlement_id}/confirm", response=SettlementOut)
def confirm_settlement(request: PageRequest, settlement_id: int) -> Any:
    """Book a draft: the payees are owed their shares."""
    return services.confirm_settlement(request.actor, settlement_id)


@router.post("/settlements/{int:settlement_id}/drop", response=SettlementOut)
def drop_settlement(request: PageRequest, settlement_id: int) -> Any:
    """Throw a draft away."""
    return services.drop_settlement(request.actor, settlement_id)


@router.post("/settlements/{int:settlement_id}/pay", response=SettlementOut)
def pay_settlement(request: PageRequest, settlement_id: int, body: ReferenceIn) -> Any:
    """Say that the payees were paid."""
    return services.pay_out(request.actor, settlement_id, body.reference)


@router.post("/shares")
def set_shares(request: PageRequest, body: SharesIn) -> dict[str, int]:
    """How an institution's income is shared from a day on."""
    shares = [services.Share(one.payee, one.points) for one in body.shares]
    return {"id": services.set_shares(request.actor, body.institution, body.since, shares).pk}
