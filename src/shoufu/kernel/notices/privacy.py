"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator

from django.db.models import Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.notices.models import Channel, Endpoint
from shoufu.kernel.privacy.declarations import Holding, Hooks, Identifier, Receipt, Retention, Sort, Subject

TELLING = ("delivering notices", "发送通知")


def _user(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


def _identifiers(subject: Subject) -> Iterator[Identifier]:
    """Addresses that the person gave: e-mail, phone, push subscription."""
    for address in Endpoint.objects.filter(user=subject.user or 0).values_list("address", flat=True):
        for name, text in address.items() if isinstance(address, dict) else ():
            if isinstance(text, str) and len(text) >= 6:
                yield Identifier(Sort.NUMBER if name == "phone" else Sort.WORD, text, f"notice {name}")


def _withdrawn(actor: Actor, person_id: int, purpose: str) -> Iterator[Receipt]:
    """Without consent to notices outside, the addresses outside go."""
    if purpose == "notices.outside":
        rows = Endpoint.objects.filter(user__person=person_id, channel__in=[Channel.EMAIL, Channel.SMS])
        count, _models = rows.delete()
        yield Receipt("notices", str(count))


holdings = (
    Holding(
        "notices.endpoint",
        _user,
        *TELLING,
        export=("channel", "address", "created_at"),
        title="Where notices reach me",
        title_zh="我的通知地址",
    ),
    Holding(
        "notices.notice",
        _user,
        *TELLING,
        365,
        export=("subject", "body", "channel", "state", "created_at", "read_at"),
        title="My notices",
        title_zh="我的通知",
    ),
)

hooks = Hooks(identifiers=_identifiers, withdrawn=_withdrawn)
retentions = (Retention("shoufu.kernel.notices.tasks.expire", "Notices older than a year", "满一年的通知"),)
