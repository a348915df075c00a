"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention

DUTY = ("knowing who was on duty and that patrols were walked", "知道谁当班、巡更是否走过")
WHY = "the round or shift stays; the name goes with the account"

holdings = (
    Holding(
        "community_patrols.round",
        lambda s: Q(walker=s.user) if s.user else None,
        *DUTY,
        days=365,
        erase=Erase.BLANK,
        blank={"walker": None},
        export=("route", "due_at", "state", "began_at", "ended_at"),
        title="Patrols that I walked",
        title_zh="我走过的巡更",
    ),
    Holding("community_patrols.passing", lambda s: None, *DUTY, days=365, erase=Erase.KEEP, why=WHY),
    Holding(
        "community_patrols.shift",
        lambda s: Q(user=s.user) if s.user else None,
        *DUTY,
        days=730,
        export=("place", "began_at", "ended_at", "note"),
        title="My shifts",
        title_zh="我的班次",
    ),
)

not_personal = (
    NotPersonal("community_patrols.route", "names of ways and times"),
    NotPersonal("community_patrols.checkpoint", "names of spots and the codes put up there"),
)

retentions = (
    Retention(
        "shoufu.scenes.community.patrols.tasks.forget",
        "rounds after a year, shifts after two",
        "巡更一年后删除，班次两年后删除",
    ),
)
