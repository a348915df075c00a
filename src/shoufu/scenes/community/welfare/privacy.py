"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.privacy.declarations import Erase, Holding, Hooks, NotPersonal, Receipt, Retention, Subject

WHY = ("asking a person who opted in whether all is well", "询问自愿参加的居民是否平安")
SHOWN = ("showing that somebody was looked after, and how it ended", "记录关怀的经过和结果")


def _learned(row: Any) -> dict[str, Any]:
    from shoufu.scenes.community.welfare.selectors import exported

    return exported(row)


holdings = (
    Holding(
        "community_welfare.watch",
        lambda s: Q(person=s.person),
        *WHY,
        days=60,
        export=_learned,
        title="Welfare watch",
        title_zh="平安关怀",
    ),
    Holding(
        "community_welfare.helper",
        lambda s: Q(watch__person=s.person) | Q(known=s.person),
        *WHY,
        days=60,
        export=("known_id", "position"),
        title="Whom the welfare watch asks",
        title_zh="平安关怀联系人",
    ),
    Holding(
        "community_welfare.sensor",
        lambda s: Q(watch__person=s.person),
        *WHY,
        days=60,
        erase=Erase.BLANK,
        blank={"watch": None, "heard_at": None, "lost_at": None},
        export=("device_id", "role", "heard_at"),
        title="Sensors of my welfare watch",
        title_zh="平安关怀的传感器",
    ),
    Holding(
        "community_welfare.entry",
        lambda s: Q(check_of__person=s.person) | (Q(user=s.user) if s.user else Q(pk__in=[])),
        *SHOWN,
        days=180,
        erase=Erase.BLANK,
        blank={"user": None, "helper": None},
        export=("at", "step", "what"),
        title="Steps of welfare checks",
        title_zh="平安关怀的步骤",
    ),
    Holding(
        "community_welfare.check",
        lambda s: Q(person=s.person),
        *SHOWN,
        days=180,
        export=("reason", "silent_since", "known_seconds", "asked_at", "step", "outcome", "ended_at"),
        title="Welfare checks",
        title_zh="平安关怀记录",
    ),
)

not_personal = (NotPersonal("community_welfare.ladder", "a setting of a compound"),)

retentions = (
    Retention(
        "shoufu.scenes.community.welfare.tasks.forget",
        "checks after half a year; what was learned of a person after 60 days, or at once when they withdraw",
        "关怀记录半年后删除；学到的习惯只看最近 60 天，撤回同意立即删除",
    ),
)


def _withdrawn(actor: Actor, person_id: int, purpose: str) -> Iterator[Receipt]:
    """The watch stops at once and forgets."""
    from shoufu.scenes.community.welfare.services import stop

    if purpose == "welfare" and stop(actor, person_id):
        yield Receipt("welfare", "watch")


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """The sensors' rows go before the watch does."""
    from shoufu.scenes.community.welfare.services import stop

    if stop(actor, subject.person):
        yield Receipt("welfare", "watch")


hooks = Hooks(withdrawn=_withdrawn, ended=_ended)
