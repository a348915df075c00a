"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, NotPersonal, Retention

holdings = (
    Holding(
        "community_visitors.invitation",
        lambda s: Q(host=s.person),
        "letting in the people whom a resident expects",
        "放行居民邀请的访客",
        days=30,
        export=("visitor", "kind", "since", "until", "state", "arrived_at", "left_at", "plate", "reason"),
        title="Visitors whom I expected",
        title_zh="我邀请的访客",
    ),
)

not_personal = (
    NotPersonal("community_visitors.linktry", "keyed hashes of network addresses that tried wrong links, a week"),
)

retentions = (
    Retention(
        "shoufu.scenes.community.visitors.tasks.forget",
        "visits 30 days after their end",
        "访客记录在结束 30 天后删除",
    ),
)
