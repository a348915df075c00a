"""Faces as pictures, and the form by which they are put up."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.media import pictures
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import Portrait
from shoufu.scenes.homecare.register.services.portraits import FIELD, LIMITS, TYPE

ONE_PICTURE = "private, max-age=3600, immutable"
"""For an address that names one picture. One that was taken down stays an hour at most with who has seen it."""
THE_PRESENT_ONE = "private, no-cache"


@require_safe
def portrait(request: PageRequest, practitioner_id: int, portrait_id: UUID) -> HttpResponseBase:
    """One portrait of somebody, for whoever may see it."""
    found = selectors.portrait(request.actor, practitioner_id)
    if found.pk != portrait_id:
        raise NotFound(_("There is no portrait that you may see."))
    return shown(request, found, ONE_PICTURE)


def shown(request: HttpRequest, found: Portrait, caching: str) -> HttpResponseBase:
    """The bytes of a portrait that a selector gave, or 304 where the caller has them."""
    etag = f'"{found.pk}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(services.picture(found), content_type=TYPE)
    response["ETag"], response["Cache-Control"] = etag, caching
    response["X-Content-Type-Options"] = "nosniff"
    return response


def sent(request: PageRequest) -> bytes:
    """The picture of a sent form; its size is looked at before it is read."""
    file = request.FILES.get(FIELD)
    if file is None:
        raise Invalid.one(FIELD, _("Choose a picture."))
    pictures.check_size(file.size or 0, FIELD, LIMITS)
    return bytes(file.read())
