"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Holding, NotPersonal
from shoufu.scenes.homecare.visits.models import RETENTION_DAYS

WHY = ("care at home", "居家护理服务")

holdings = (
    Holding(
        "homecare_visits.visit",
        lambda s: Q(patient__person=s.person),
        *WHY,
        days=RETENTION_DAYS,
        export=lambda row: {
            "number": row.number,
            "service": row.version.label,
            "state": row.get_state_display(),
            "starts_at": row.starts_at,
            "began_at": row.began_at,
            "ended_at": row.ended_at,
        },
        title="Visits at my home",
        title_zh="我的上门护理",
    ),
    Holding("homecare_visits.prescription", lambda s: Q(patient__person=s.person), *WHY, days=RETENTION_DAYS),
    Holding("homecare_visits.stop", lambda s: Q(visit__patient__person=s.person), *WHY, days=RETENTION_DAYS),
    Holding("homecare_visits.visitevent", lambda s: Q(visit__patient__person=s.person), *WHY, days=RETENTION_DAYS),
)

not_personal = (NotPersonal("homecare_visits.bookingrules", "an institution's own rules"),)
