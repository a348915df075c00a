"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal

HANDLING = ("handling what happened at a place", "处置所在地发生的事件")
WHY = "the act stays, by the number of an account that names nobody any more; texts lose the name"

holdings = (
    Holding(
        "cases.case",
        lambda s: Q(assignee=s.user) if s.user else None,
        *HANDLING,
        erase=Erase.KEEP,
        why=WHY,
        export=("number", "title", "state", "opened_at"),
        title="Cases that I handled",
        title_zh="我处置过的事件",
    ),
    Holding("cases.caseevent", lambda s: None, *HANDLING, erase=Erase.KEEP, why=WHY),
    Holding("cases.evidence", lambda s: None, *HANDLING, erase=Erase.KEEP, why="goes with its picture or observation"),
    Holding(
        "cases.feedback",
        lambda s: Q(author=s.user) if s.user else None,
        *HANDLING,
        erase=Erase.BLANK,
        blank={"author": None},
    ),
)

not_personal = (NotPersonal("cases.pendingevidence", "the id of a picture"),)
