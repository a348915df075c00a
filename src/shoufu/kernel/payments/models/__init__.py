from shoufu.kernel.payments.models.callbacks import Difference, ProviderEvent, Reconciliation
from shoufu.kernel.payments.models.ledger import Account, Journal, LedgerEntry
from shoufu.kernel.payments.models.orders import Order, OrderEvent, OrderLine, Payment, Performer, Provider, Refund
from shoufu.kernel.payments.models.settlements import Settlement, SettlementLine, ShareRule

__all__ = [
    "Account",
    "Difference",
    "Journal",
    "LedgerEntry",
    "Order",
    "OrderEvent",
    "OrderLine",
    "Payment",
    "Performer",
    "Provider",
    "ProviderEvent",
    "Reconciliation",
    "Refund",
    "Settlement",
    "SettlementLine",
    "ShareRule",
]
