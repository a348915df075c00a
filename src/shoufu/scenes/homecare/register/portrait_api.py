"""/api/homecare/register/practitioners/…/portrait: the face of who gives care."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Field, Router, Schema, Status

from shoufu.kernel.base.errors import Problem
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.media import pictures
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import Portrait
from shoufu.scenes.homecare.register.pages import portraits
from shoufu.scenes.homecare.register.services.portraits import FIELD, LIMITS

router = Router(tags=["homecare"])


class PortraitOut(Schema):
    id: UUID
    size: int = Field(description="Bytes of the square JPEG that is kept")
    made_at: datetime


@router.get("/{int:practitioner_id}/portrait", response={200: bytes})
def get_portrait(request: PageRequest, practitioner_id: int) -> HttpResponseBase:
    """The face as a JPEG of 480×480, for staff and for those to whom this person comes. 304 with `If-None-Match`."""
    return portraits.shown(request, selectors.portrait(request.actor, practitioner_id), portraits.THE_PRESENT_ONE)


@router.put("/{int:practitioner_id}/portrait", response=PortraitOut)
def put_portrait(request: PageRequest, practitioner_id: int) -> Portrait:
    """Put the face up, or another one: a JPEG, PNG or WebP of up to 10 MB as the raw body. Patients see it."""
    length = request.headers.get("Content-Length", "")
    if not length.isdigit():
        raise Problem("Length required", "Content-Length", 411, "length")
    pictures.check_size(int(length), FIELD, LIMITS)
    return services.portray(request.actor, practitioner_id, request.body)


@router.delete("/{int:practitioner_id}/portrait", response={204: None})
def delete_portrait(request: PageRequest, practitioner_id: int) -> Status[None]:
    """Take the face down; its bytes are deleted."""
    services.unportray(request.actor, practitioner_id)
    return Status(204, None)
