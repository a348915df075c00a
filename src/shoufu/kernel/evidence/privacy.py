"""What evidence holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from django.db.models import Q

from shoufu.kernel.privacy.declarations import Erase, Holding, Retention

holdings = (
    Holding(
        "evidence.export",
        lambda s: Q(user=s.user) if s.user else None,
        "handing evidence over",
        "移交证据",
        1095,
        erase=Erase.BLANK,
        blank={"user": None, "asked_by": ""},
    ),
)

retentions = (
    Retention("shoufu.kernel.evidence.tasks.expire", "Bundles whose days are over", "到期的证据包"),
    Retention("shoufu.kernel.evidence.tasks.release", "Evidence whose hold ended", "解除保全的证据"),
)
