"""What this part holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal, Retention, Subject
from shoufu.scenes.homecare.planning.models import PlanEvent, Proposal


def _own(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


holdings = (
    Holding(
        "homecare_planning.planevent",
        _own,
        "tracing why somebody else came, or at another time",
        "说明为何换人或改时间",
        days=PlanEvent.RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"user": None},
    ),
    Holding(
        "homecare_planning.proposal",
        _own,
        "showing what would change in a day before it does",
        "排班变动前先看结果",
        days=Proposal.RETENTION_DAYS,
        erase=Erase.BLANK,
        blank={"user": None},
    ),
)

not_personal = (
    NotPersonal("homecare_planning.policy", "an institution's own times"),
    NotPersonal("homecare_planning.dayplan", "ids of visits in an order"),
)

retentions = (
    Retention(
        "shoufu.scenes.homecare.planning.tasks.forget",
        "what changed plans after two years, proposals after 30 days",
        "排班变动记录两年后删除，试算结果 30 天后删除",
    ),
)
