"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal
from shoufu.scenes.homecare.planning.models import PlanEvent

holdings = (
    Holding(
        "homecare_planning.planevent",
        lambda s: Q(user=s.user) if s.user else None,
        "tracing why somebody else came, or at another time",
        "说明为何换人或改时间",
        days=PlanEvent.RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"user": None},
    ),
)

not_personal = (
    NotPersonal("homecare_planning.policy", "an institution's own times"),
    NotPersonal("homecare_planning.dayplan", "ids of visits in an order"),
)
