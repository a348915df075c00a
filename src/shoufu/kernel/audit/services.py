from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import Actor


@dataclass(frozen=True)
class Act:
    """One line for the audit log: a dotted action ("cases.acknowledge"), its object, the place and what changed."""

    action: str
    object: models.Model | None = None
    place: int | None = None
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: int | None = None
    object_type: str = ""
    object_id: str = ""


def _entry(actor: Actor, act: Act, at: datetime) -> AuditEntry:
    model = act.object
    return AuditEntry(
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=act.action,
        object_type=act.object_type or (model._meta.label_lower if model is not None else ""),
        object_id=act.object_id or (str(model.pk) if model is not None else ""),
        place=act.place,
        reason=act.reason,
        data=dict(act.data),
        subject=act.subject,
    )


def record(actor: Actor, act: Act) -> AuditEntry:
    """Write one entry in the caller's transaction; the sequencer chains it later."""
    entry = _entry(actor, act, timezone.now())
    entry.save(force_insert=True)
    return entry


def record_many(actor: Actor, acts: Iterable[Act]) -> None:
    """The bulk form: one INSERT however many."""
    now = timezone.now()
    AuditEntry.objects.bulk_create([_entry(actor, act, now) for act in acts], batch_size=2000)
