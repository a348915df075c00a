from shoufu.kernel.payments.services.callbacks import take_callback
from shoufu.kernel.payments.services.following import expire_events, follow
from shoufu.kernel.payments.services.insurance import drop_insurance, insurance_paid, insurance_returned
from shoufu.kernel.payments.services.orders import LineDraft, OrderDraft, create_order, issue, prolong, set_performers
from shoufu.kernel.payments.services.outside import key_of, source_of
from shoufu.kernel.payments.services.paying import ask_provider, cancel, confirm_offline, expire_due, start_payment
from shoufu.kernel.payments.services.reconciling import compare_day, reconcile, resolve
from shoufu.kernel.payments.services.refunds import (
    RefundDraft,
    confirm_refund,
    follow_refund,
    request_refund,
    reserve_refund,
    send_refund,
)
from shoufu.kernel.payments.services.settling import (
    Share,
    confirm_settlement,
    draft_settlement,
    drop_settlement,
    pay_out,
    set_shares,
)

__all__ = [
    "LineDraft",
    "OrderDraft",
    "RefundDraft",
    "Share",
    "ask_provider",
    "cancel",
    "compare_day",
    "confirm_offline",
    "confirm_refund",
    "confirm_settlement",
    "create_order",
    "draft_settlement",
    "drop_insurance",
    "drop_settlement",
    "expire_due",
    "expire_events",
    "follow",
    "follow_refund",
    "insurance_paid",
    "insurance_returned",
    "issue",
    "key_of",
    "pay_out",
    "prolong",
    "reconcile",
    "request_refund",
    "reserve_refund",
    "resolve",
    "send_refund",
    "set_performers",
    "set_shares",
    "source_of",
    "start_payment",
    "take_callback",
]
