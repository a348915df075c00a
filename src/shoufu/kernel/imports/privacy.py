"""What imports hold about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from shoufu.kernel.imports.models import Import
from shoufu.kernel.privacy.declarations import Erase, Held, Holding, Hooks, Subject


def _held(subject: Subject) -> Iterator[Held]:
    """A way back over the person's place may hold what they were before: encrypted, and for 30 days at most."""
    steps = [int(step) for step in subject.path.strip("/").split("/")]
    rows = Import.objects.filter(Q(place__in=steps) | Q(place__path__startswith=subject.path), undo__isnull=False)
    for row in rows.exclude(undo=b"").order_by("-applied_at")[:20]:
        ends = (row.applied_at or row.uploaded_at) + timedelta(days=Import.RETENTION_DAYS)
        yield Held(f"import {row.pk}", 1, "the encrypted way back of an import, until it ends by itself", ends.date())


holdings = (
    Holding(
        "imports.import",
        lambda s: Q(author=s.user) if s.user else None,
        "filling the register from a file, with a way back",
        "从文件导入登记信息，并可撤销",
        30,
        erase=Erase.KEEP,
        why="the act stays, by the number of an account that names nobody any more; files go by themselves",
    ),
)

hooks = Hooks(held=_held)
