"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.booking.models import Booking
from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention, Scope, Subject

KEEPING = ("keeping appointments", "履行预约")


def _theirs(subject: Subject) -> Q:
    rows = Q(person=subject.person)
    return rows | Q(user=subject.user) if subject.user else rows


def _user(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


def _exported(row: Booking) -> dict[str, object]:
    return {
        "number": row.number,
        "offering": row.offering.name,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "state": row.state,
        "made_at": row.made_at,
        "charge": row.charge,
    }


holdings = (
    Holding(
        "booking.booking",
        _theirs,
        *KEEPING,
        730,
        erase=Erase.BLANK,
        blank={"user": None, "person": None, "details": {}},
        export=_exported,
        title="My bookings",
        title_zh="我的预约",
    ),
    Holding("booking.bookingevent", _user, *KEEPING, 730, erase=Erase.BLANK, blank={"user": None}),
    Holding(
        "booking.waitingentry",
        _theirs,
        *KEEPING,
        90,
        export=("since", "until", "state", "made_at"),
        title="What I waited for",
        title_zh="我的候补",
    ),
    Holding("booking.request", _user, "not doing a request twice", "避免重复办理", 7),
    Holding(
        "booking.resource",
        lambda s: Q(person=s.person),
        *KEEPING,
        730,
        erase=Erase.BLANK,
        blank={"person": None, "name": "—", "name_en": "—"},
        export=("name", "kind"),
        title="My time that can be booked",
        title_zh="我可被预约的时间",
    ),
)

not_personal = (NotPersonal("booking.allocation", "a span of a resource; who has it stands in the booking"),)

scopes = (Scope("booking.act", "Book for me", "为我预约"),)

retentions = (
    Retention(
        "shoufu.kernel.booking.tasks.expire",
        "Who had bookings that ended two years ago, old waiting entries and request keys",
        "结束满两年的预约中的个人信息、旧候补和请求编号",
    ),
)
