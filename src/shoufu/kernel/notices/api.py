from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.notices import selectors, services
from shoufu.kernel.notices.channels import web_push
from shoufu.kernel.notices.models import Endpoint

router = Router(tags=["notices"])


class NoticeOut(Schema):
    id: UUID
    template: str
    channel: str
    subject: str
    body: str
    state: str
    case: int | None = Field(None, alias="case_id")
    created_at: datetime
    read_at: datetime | None
    error: str


class EndpointOut(Schema):
    id: int
    channel: str
    address: dict[str, Any]
    failing_since: datetime | None


class EndpointIn(Schema):
    channel: str
    address: dict[str, Any]
    secret: str = Field("", max_length=200)
    organisation: int | None = None


class ReadIn(Schema):
    ids: list[UUID] | None = Field(None, description="Leave out to mark all as read")


@router.get("", response=list[NoticeOut])
@paginate(LimitOffsetPagination)
def inbox(request: PageRequest) -> Any:
    return selectors.inbox(request.actor)


@router.get("/deliveries", response=list[NoticeOut])
@paginate(LimitOffsetPagination)
def deliveries(request: PageRequest) -> Any:
    return selectors.deliveries(request.actor)


@router.post("/read", response=dict[str, int])
def mark_read(request: PageRequest, body: ReadIn) -> dict[str, int]:
    return {"read": services.mark_read(request.actor, body.ids)}


@router.get("/endpoints", response=list[EndpointOut])
def endpoints(request: PageRequest) -> list[Endpoint]:
    return selectors.endpoints(request.actor)


@router.post("/endpoints", response={201: EndpointOut})
def add_endpoint(request: PageRequest, body: EndpointIn) -> tuple[int, Endpoint]:
    return 201, services.add_endpoint(request.actor, body.channel, body.address, body.secret, body.organisation)


@router.delete("/endpoints/{int:endpoint_id}", response={204: None})
def remove_endpoint(request: PageRequest, endpoint_id: int) -> tuple[int, None]:
    services.remove_endpoint(request.actor, endpoint_id)
    return 204, None


@router.get("/web-push-key", response=dict[str, str])
def web_push_key(request: PageRequest) -> dict[str, str]:
    return {"key": web_push.public_key()}
