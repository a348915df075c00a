from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone
from psycopg.types.json import Jsonb

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import Actor

COLUMNS = tuple(
    field.attname for field in AuditEntry._meta.concrete_fields if not field.primary_key and field.name != "xid"
)
PRIVATE_ROLES = frozenset({"resident", "family"})
"""Who holds no other role acts as a private person: their name stays out of the chain, which nobody can change."""
COPY = f"copy audit_auditentry ({', '.join(COLUMNS)}) from stdin"


@dataclass(frozen=True)
class Act:
    """One line for the audit log: a dotted action ("cases.acknowledge"), its object, the place and what changed.

    `data` is kept in clear for ever: no names, phones or other personal data. Those go into `personal`, which needs a
    `subject` (the person's id) and is encrypted with that person's key, so that it can be erased.
    """

    action: str
    object: models.Model | None = None
    place: int | None = None
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: int | None = None
    personal: Mapping[str, Any] = field(default_factory=dict)
    object_type: str = ""
    object_id: str = ""


def _common(actor: Actor, at: datetime) -> dict[str, Any]:
    return {"at": at, "actor_kind": actor.kind, "actor_id": actor.id, "actor_label": _label(actor)}


def _own(act: Act, keys: Mapping[int, bytes | None]) -> dict[str, Any]:
    model = act.object
    return {
        "action": act.action,
        "object_type": act.object_type or (model._meta.label_lower if model is not None else ""),
        "object_id": act.object_id or (str(model.pk) if model is not None else ""),
        "place": act.place,
        "reason": act.reason[:200],
        "data": dict(act.data),
        "subject": act.subject,
        "personal": _personal(act, keys),
    }


def _label(actor: Actor) -> str:
    """The name of who acts; "#17" (the account's number) for a private person, whom erasure must reach."""
    if actor.kind == "user" and all(grant.role in PRIVATE_ROLES for grant in actor.grants):
        return f"#{actor.id}"
    return actor.label[:120]


def _personal(act: Act, keys: Mapping[int, bytes | None]) -> bytes | None:
    if not act.personal:
        return None
    if act.subject is None:
        raise ValueError(f"{act.action}: personal fields need the subject whom they belong to")
    key = keys[act.subject]
    return subjects.seal_fields(key, act.personal, act.subject) if key is not None else None


def record(actor: Actor, act: Act) -> AuditEntry:
    """Write one entry in the caller's transaction; the sequencer chains it later."""
    entry = AuditEntry(**_common(actor, timezone.now()), **_own(act, _keys([act])))
    entry.save(force_insert=True)
    return entry


def record_many(actor: Actor, acts: Iterable[Act], keys: Mapping[int, bytes | None] | None = None) -> None:
    """The bulk form: one COPY however many, and at most three queries for the keys of personal fields unless given."""
    listed = list(acts)
    if not listed:
        return
    now, keys = timezone.now(), _keys(listed) if keys is None else keys
    common = _common(actor, now)
    with connection.cursor() as cursor, cursor.cursor.copy(COPY) as copy:
        for act in listed:
            fields = common | _own(act, keys)
            fields["data"] = Jsonb(fields["data"])
            copy.write_row([fields[name] for name in COLUMNS])


def _keys(acts: Iterable[Act]) -> dict[int, bytes | None]:
    wanted = {act.subject for act in acts if act.personal and act.subject is not None}
    return subjects.keys_for(wanted) if wanted else {}
