"""What referrals hold about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention, Subject
from shoufu.kernel.privacy.erasure.patterns import pattern

HELP = ("help by another organisation", "请其他单位协助")


def _cases(subject: Subject, prefix: str) -> Q | None:
    """Referrals of cases whose words name the person: their contact and messages are encrypted, so cases tell."""
    wanted = pattern(subject.identifiers)
    if not wanted:
        return None
    return Q(**{f"{prefix}case__title__iregex": wanted}) | Q(**{f"{prefix}case__events__text__iregex": wanted})


def _messages(subject: Subject) -> Q | None:
    named = _cases(subject, "referral__")
    return None if named is None else named & Q(state__in=["acknowledged", "failed"])


holdings = (
    Holding(
        "referrals.referral",
        lambda s: _cases(s, ""),
        *HELP,
        730,
        erase=Erase.BLANK,
        blank={"contact": None},
    ),
    Holding("referrals.message", _messages, "proof of what was sent", "证明发送过什么", 90),
    Holding(
        "referrals.handling",
        lambda s: Q(user=s.user) if s.user else None,
        *HELP,
        730,
        erase=Erase.BLANK,
        blank={"user": None, "by": ""},
    ),
)

not_personal = (NotPersonal("referrals.destination", "an organisation, its addresses and the keys to sign for it"),)

retentions = (
    Retention("shoufu.kernel.referrals.tasks.expire", "Messages after 90 days, contacts", "90 天后的报文和联系人"),
)
