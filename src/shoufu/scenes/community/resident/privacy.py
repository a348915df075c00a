"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, NotPersonal, Retention

holdings = (
    Holding(
        "community_resident.contact",
        lambda s: Q(person=s.person) | Q(known=s.person),
        "calling those whom a person named in need",
        "紧急时联系本人指定的人",
        days=730,
        export=("known_id", "position"),
        title="Whom to call in need",
        title_zh="紧急联系人",
    ),
    Holding(
        "community_resident.request",
        lambda s: Q(person=s.person),
        "doing and answering what residents ask for",
        "处理并答复居民的请求",
        days=365,
        export=lambda row: {"kind": row.kind, "number": row.case.number, "made_at": row.made_at},
        title="Repairs, complaints and calls for help",
        title_zh="报修、投诉和求助",
    ),
)

not_personal = (NotPersonal("community_resident.housepolicy", "a setting of a compound"),)

retentions = (
    Retention("shoufu.scenes.community.resident.tasks.forget", "requests after a year", "报修、投诉和求助一年后删除"),
)
