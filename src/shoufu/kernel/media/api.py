from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.media import selectors
from shoufu.kernel.media.models import MediaObject

router = Router(tags=["media"])


class MediaOut(Schema):
    id: UUID
    kind: str
    content_type: str
    size: int
    sha256: str
    device: int | None = Field(None, alias="device_id")
    place: int = Field(alias="place_id")
    t: datetime
    until: datetime | None
    keep_until: datetime

    @staticmethod
    def resolve_sha256(media: MediaObject) -> str:
        return bytes(media.sha256).hex()


@router.get("", response=list[MediaOut])
@paginate(LimitOffsetPagination)
def of_device(request: PageRequest, device: int, since: datetime, until: datetime) -> Any:
    return selectors.of_device(request.actor, device, since, until)


@router.get("/{uuid:media_id}", response=MediaOut)
def get_media(request: PageRequest, media_id: UUID) -> MediaObject:
    return selectors.get(request.actor, media_id)
