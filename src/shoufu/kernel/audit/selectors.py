from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import BigIntegerField, Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.models import AuditEntry, AuditLink, AuditRoot
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.places.models import Place

VIEW = "audit.view"


@dataclass(frozen=True)
class EntryFilter:
    """What to show of the log; empty fields do not narrow. `action` also takes a prefix ("cases.")."""

    action: str = ""
    actor_id: str = ""
    object_type: str = ""
    object_id: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def entries(actor: Actor, path: str = "/", wanted: EntryFilter | None = None) -> QuerySet[AuditEntry]:
    """The log of the actor's places at and below `path`, newest first.

    Acts that concern no place show only to those who audit a whole tree, and only when nothing narrower is asked for.
    """
    rows = _named(AuditEntry.objects.order_by("-id"))
    top = path.count("/") <= 2  # "/" or a root such as "/1/"
    if not (actor.is_system and path == "/"):
        places = policy.limit(Place.objects.filter(path__startswith=path), actor, VIEW, "path")
        seen = Q(place__in=places.values("pk"))
        whole = actor.is_system or any(root.count("/") == 2 for root in actor.paths(VIEW))
        rows = rows.filter(seen | Q(place__isnull=True) if top and whole else seen)
    return _narrowed(rows, wanted) if wanted else rows


def _named(rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """With `who`: the label as written, or for a private person ("#17") the name that the account has now."""
    number = Case(
        When(actor_kind="user", actor_label__startswith="#", then=Cast("actor_id", BigIntegerField())),
        output_field=BigIntegerField(),
    )
    account = get_user_model()._default_manager.filter(pk=OuterRef("account"))
    shown = account.annotate(shown=Coalesce(NullIf("display_name", Value("")), "username")).values("shown")
    return rows.annotate(account=number).annotate(who=Coalesce(Subquery(shown), "actor_label"))


def _narrowed(rows: QuerySet[AuditEntry], wanted: EntryFilter) -> QuerySet[AuditEntry]:
    if wanted.action:
        prefix = wanted.action.endswith(".")
        rows = rows.filter(action__startswith=wanted.action) if prefix else rows.filter(action=wanted.action)
    for name in ("actor_id", "object_type", "object_id"):
        if getattr(wanted, name):
            rows = rows.filter(**{name: getattr(wanted, name)})
    if wanted.text:
        words = wanted.text.strip()
        rows = rows.filter(Q(who__icontains=words) | Q(reason__icontains=words) | Q(action__icontains=words))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    return rows.filter(at__lt=wanted.until) if wanted.until else rows


def get(actor: Actor, entry_id: int) -> AuditEntry:
    """One entry; NotFound when the actor may not see it."""
    found = entries(actor).filter(pk=entry_id).first()
    if found is None:
        raise NotFound(_("There is no audit entry %(id)s that you may see.") % {"id": entry_id})
    return found


def personal(actor: Actor, entry_id: int) -> dict[str, Any]:
    """The personal fields of an entry in clear; empty when it has none or the person was erased."""
    entry = get(actor, entry_id)
    if entry.personal is None or entry.subject is None:
        return {}
    key = subjects.known_keys([entry.subject]).get(entry.subject)
    return subjects.unseal_fields(key, bytes(entry.personal), entry.subject) if key else {}


@dataclass(frozen=True)
class ChainState:
    """How far the chain has come: links, entries that wait for the sequencer, and the last signed root."""

    linked: int
    pending: int
    root_sequence: int | None
    root_at: datetime | None
    root_hash: str


def chain_state() -> ChainState:
    """Four cheap queries; proving the chain whole is `verify`."""
    last = AuditLink.objects.order_by("-sequence").first()
    entry = AuditEntry.objects.filter(pk=last.entry).only("xid").first() if last else None
    xid, pk = (entry.xid, entry.pk) if entry else (0, 0)
    waiting = AuditEntry.objects.filter(Q(xid__gt=xid) | Q(xid=xid, pk__gt=pk))
    root = AuditRoot.objects.order_by("-sequence").first()
    return ChainState(
        last.sequence if last else 0,
        waiting.count(),
        root.sequence if root else None,
        root.made_at if root else None,
        bytes(root.hash).hex() if root else "",
    )
