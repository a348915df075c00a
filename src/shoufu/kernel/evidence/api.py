from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.evidence import keys, selectors, services
from shoufu.kernel.evidence.models import Export

router = Router()


class ExportOut(Schema):
    id: int
    number: str
    case: int = Field(alias="case_id")
    state: str
    progress: float
    error: str
    recipient: str
    reason: str
    sharp: str
    asked_by: str
    asked_at: datetime
    made_at: datetime | None
    expires_at: datetime
    size: int
    sha256: str
    signed_by: str
    files: int
    downloads: int


class ExportIn(Schema):
    case: int
    recipient: str = Field(max_length=120)
    reason: str = Field(max_length=200)
    sharp: str = Field("nobody", description="nobody, subject or all; other than nobody needs evidence.unblurred")
    sharp_reason: str = Field("", max_length=200)
    media: list[UUID] = []
    cameras: list[int] = []
    since: datetime | None = None
    until: datetime | None = None
    passphrase: str = ""
    recipient_key: str = Field("", description="An age recipient (age1…) that the originals are sealed to")
    days: int = services.DAYS


class KeyOut(Schema):
    fingerprint: str = Field(description="SHA-256 of the Ed25519 key that signs bundles, hexadecimal")


@router.get("", response=Page[ExportOut])
def list_exports(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Exports of one's places."""
    sorts = {"number": "number", "asked": "asked_at", "state": "state"}
    return answer(selectors.visible(request.actor), query, sorts, ExportOut.from_orm, "exports")


@router.get("/key", response=KeyOut)
def key(request: PageRequest) -> KeyOut:
    """The fingerprint to tell recipients by another way than the bundle."""
    return KeyOut(fingerprint=keys.own_fingerprint())


@router.post("", response={202: ExportOut})
def request_export(request: PageRequest, body: ExportIn) -> Status[Export]:
    """Ask for a bundle; the worker makes it."""
    values = body.model_dump()
    case_id = values.pop("case")
    return Status(202, services.request_export(request.actor, services.ExportDraft(case_id=case_id, **values)))


@router.get("/{int:export_id}", response=ExportOut)
def get_export(request: PageRequest, export_id: int) -> Export:
    """One export and how far it is."""
    return selectors.get(request.actor, export_id)
