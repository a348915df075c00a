from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema

from shoufu.kernel.access import policy
from shoufu.kernel.audit import selectors
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.audit.selectors import ChainState, EntryFilter
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest

router = Router()


class EntryOut(Schema):
    id: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_label: str
    action: str
    object_type: str
    object_id: str
    place: int | None
    reason: str
    data: dict[str, Any]
    subject: int | None


class EntryQuery(ListQuery):
    action: str = ""
    actor_id: str = ""
    object_type: str = ""
    object_id: str = ""
    path: str = "/"
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def wanted(self) -> EntryFilter:
        return EntryFilter(**{name: getattr(self, name) for name in EntryFilter.__dataclass_fields__})


class ChainOut(Schema):
    linked: int
    pending: int
    root_sequence: int | None
    root_at: datetime | None
    root_hash: str


@router.get("/entries", response=Page[EntryOut])
def list_entries(request: PageRequest, query: Query[EntryQuery]) -> Any:
    """The audit log of one's places, newest first; `action` also takes a prefix that ends in a dot."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = selectors.entries(request.actor, query.path, query.wanted())
    return answer(rows, query, {"at": "at", "id": "pk"}, _entry, "audit")


def _entry(row: AuditEntry) -> EntryOut:
    return EntryOut.from_orm(row)


@router.get("/entries/{int:entry_id}", response=EntryOut)
def get_entry(request: PageRequest, entry_id: int) -> AuditEntry:
    """One entry of the audit log."""
    return selectors.get(request.actor, entry_id)


@router.get("/chain", response=ChainOut)
def chain(request: PageRequest) -> ChainState:
    """How far the log is chained and signed."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    return selectors.chain_state()
