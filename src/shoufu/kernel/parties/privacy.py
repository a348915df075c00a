"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention

SERVING = ("residents and staff of the places served", "服务所在地的居民和工作人员")

holdings = (
    Holding(
        "parties.person",
        lambda s: Q(pk=s.person),
        *SERVING,
        730,
        erase=Erase.KEEP,
        why="the row stays as a number; name, birthday and numbers are blanked and their key destroyed",
        export=lambda row: {"code": row.code, "name": row.name, "born": row.born},
        title="Who I am",
        title_zh="我的基本信息",
    ),
    Holding(
        "parties.residency",
        lambda s: Q(person=s.person),
        *SERVING,
        730,
        export=lambda row: {
            "place": row.household.place.label,
            "number": row.household.number,
            "kind": row.kind,
            "since": row.since,
            "until": row.until,
        },
        title="Where I live or lived",
        title_zh="我的住址",
    ),
    Holding(
        "parties.membership",
        lambda s: Q(person=s.person),
        *SERVING,
        730,
        export=lambda row: {
            "organisation": row.organisation.name,
            "title": row.title,
            "since": row.since,
            "until": row.until,
        },
        title="Where I work or worked",
        title_zh="我的任职",
    ),
    Holding(
        "parties.departure",
        lambda s: Q(person=s.person),
        "proof that rights ended",
        "证明权限已经终止",
        730,
        export=("cause", "at", "reason", "lines"),
        title="When my rights ended",
        title_zh="我的权限终止记录",
    ),
    Holding(
        "parties.consent",
        lambda s: Q(person=s.person),
        "proof of what a person allowed",
        "证明本人同意过什么",
        1095,
        export=("purpose", "given_at", "withdrawn_at", "how"),
        title="What I allowed",
        title_zh="我的同意",
    ),
    Holding(
        "parties.vehicle",
        lambda s: Q(household__in=s.households),
        "vehicle access to the compound",
        "车辆进出小区",
        30,
        export=("plate", "colour", "since", "until"),
        title="Vehicles of my household",
        title_zh="我家的车辆",
    ),
)

not_personal = (
    NotPersonal("parties.organisation", "an organisation's name"),
    NotPersonal("parties.household", "a door number; who lives there is in residencies"),
)

retentions = (
    Retention(
        "shoufu.kernel.parties.tasks.purge",
        "People who left two years ago, vehicles and old consents",
        "离开满两年的人员、离场车辆和旧同意",
    ),
)
