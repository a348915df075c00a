"""What vehicles hold about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, NotPersonal, Retention

ACCESS = ("letting vehicles into the compound", "车辆出入小区")

holdings = (
    Holding(
        "community_vehicles.passage",
        lambda s: Q(plate__in=s.texts("plate")) | Q(like__in=s.texts("plate")) if s.texts("plate") else None,
        *ACCESS,
        days=30,
        export=("plate", "direction", "began_at", "state"),
        title="Passages of my cars",
        title_zh="我的车辆出入记录",
    ),
    Holding(
        "community_vehicles.stay",
        lambda s: Q(plate__in=s.texts("plate")) if s.texts("plate") else None,
        *ACCESS,
        days=30,
        export=("plate", "since", "until"),
        title="Stays of my cars",
        title_zh="我的车辆停放记录",
    ),
    Holding(
        "community_vehicles.listentry",
        lambda s: Q(person=s.person) | Q(plate__in=s.texts("plate")),
        *ACCESS,
        days=30,
        export=("plate", "purpose", "since", "until"),
        title="Cars that I invited",
        title_zh="我邀请的车辆",
    ),
)

not_personal = (
    NotPersonal("community_vehicles.lane", "names of lanes and devices"),
    NotPersonal("community_vehicles.parking", "numbers of spaces and rules"),
)

retentions = (
    Retention(
        "shoufu.scenes.community.vehicles.tasks.forget",
        "passages and stays after 30 days",
        "通行和停放记录 30 天后删除",
    ),
)
