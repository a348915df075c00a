"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.payments import money
from shoufu.kernel.payments.models.orders import RETENTION_DAYS
from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention, Subject

BOOKS = ("accounting", "会计核算")
WHY = "accounting records must be kept for thirty years (会计档案管理办法 2015); they name the order, not the person"


def _blank_user(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


holdings = (
    Holding(
        "payments.order",
        lambda s: Q(payer=s.person),
        *BOOKS,
        RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"payer": None},
        export=lambda row: {
            "number": row.number,
            "title": row.title,
            "institution": row.institution.name,
            "state": row.get_state_display(),
            "total": money.plain(row.total_minor, row.currency),
            "insurance": money.plain(row.insurance_minor, row.currency),
            "paid": money.plain(row.paid_minor, row.currency),
            "refunded": money.plain(row.refunded_minor, row.currency),
            "created_at": row.created_at,
            "paid_at": row.paid_at,
        },
        title="What I ordered and paid",
        title_zh="我的订单和付款",
    ),
    Holding(
        "payments.performer",
        lambda s: Q(person=s.person),
        *BOOKS,
        RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"person": None},
        export=lambda row: {"number": row.order.number, "title": row.order.title, "paid_at": row.order.paid_at},
        title="Orders for which I did the work",
        title_zh="由我服务的订单",
    ),
    Holding(
        "payments.settlementline",
        lambda s: Q(person=s.person),
        *BOOKS,
        RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"person": None},
        export=lambda row: {
            "settlement": row.settlement.number,
            "order": row.order.number,
            "amount": money.plain(row.amount_minor, row.settlement.currency),
        },
        title="My shares",
        title_zh="我的分账",
    ),
    Holding("payments.orderevent", _blank_user, *BOOKS, RETENTION_DAYS, erase=Erase.BLANK, blank={"user": None}),
    Holding(
        "payments.settlement",
        lambda s: Q(confirmer=s.user) if s.user else None,
        *BOOKS,
        RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"confirmer": None},
    ),
    Holding("payments.orderline", lambda s: None, *BOOKS, RETENTION_DAYS, erase=Erase.KEEP, why=WHY),
    Holding("payments.payment", lambda s: None, *BOOKS, RETENTION_DAYS, erase=Erase.KEEP, why=WHY),
    Holding("payments.refund", lambda s: None, *BOOKS, RETENTION_DAYS, erase=Erase.KEEP, why=WHY),
    Holding("payments.difference", lambda s: None, *BOOKS, RETENTION_DAYS, erase=Erase.KEEP, why=WHY),
)

not_personal = (
    NotPersonal("payments.account", "an account of the books; a person's is named by number"),
    NotPersonal("payments.journal", "a posting"),
    NotPersonal("payments.ledgerentry", "an amount"),
    NotPersonal("payments.providerevent", "what a provider said of a trade, without the payer"),
    NotPersonal("payments.reconciliation", "sums of a day"),
    NotPersonal("payments.sharerule", "a rule"),
)

retentions = (Retention("shoufu.kernel.payments.tasks.expire", "Callbacks older than a year", "满一年的支付通知"),)
