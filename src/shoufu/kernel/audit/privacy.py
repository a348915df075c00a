"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding

PROVING = ("proving who did or looked at what", "证明谁做过、看过什么")

holdings = (
    Holding(
        "audit.auditentry",
        lambda s: Q(subject=s.person),
        *PROVING,
        erase=Erase.KEEP,
        why="the chain cannot be changed; personal fields cannot be read again once the person's key is destroyed",
        export=("at", "action", "reason"),
        title="What was done with my data",
        title_zh="对我信息做过的操作",
    ),
    Holding(
        "audit.subjectkey",
        lambda s: Q(subject=s.person),
        *PROVING,
        erase=Erase.KEEP,
        why="the key itself is destroyed; the empty row keeps a second one from being made",
    ),
)
