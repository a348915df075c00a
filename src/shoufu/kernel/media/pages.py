import re
from collections.abc import Iterator
from io import BufferedReader
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.media import selectors, services, store
from shoufu.kernel.media.models import MediaObject

RANGE = re.compile(r"bytes=(\d+)-(\d*)$")
CHUNK = 1 << 16


def _span(file: BufferedReader, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


def _partial(media: MediaObject, file: BufferedReader, header: str) -> HttpResponse | StreamingHttpResponse:
    """One byte range (RFC 9110, 14.2), as players ask for it; an unsatisfiable one is told the size."""
    match = RANGE.match(header)
    start = int(match[1]) if match else media.size
    if start >= media.size:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{media.size}"})
    end = min(int(match[2]) if match and match[2] else media.size - 1, media.size - 1)
    response = StreamingHttpResponse(_span(file, start, end - start + 1), status=206)
    response["Content-Range"] = f"bytes {start}-{end}/{media.size}"
    response["Content-Length"] = str(end - start + 1)
    return response


@require_safe
def content(request: PageRequest, media_id: UUID) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """The bytes of a picture or a clip, whole or one range. Opening a clip is noted as a look."""
    media = selectors.get(request.actor, media_id)
    header = request.headers.get("Range", "")
    response = answer(request, media)
    if media.kind == MediaObject.Kind.CLIP and (not header or header.startswith("bytes=0-")):
        services.record_look(request.actor, media)
    return response


def answer(request: HttpRequest, media: MediaObject) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """The bytes of an object that the caller was found to be allowed to see, whole or the range asked for."""
    header = request.headers.get("Range", "")
    try:
        file = store.open_key(media.key)
    except FileNotFoundError as error:
        raise NotFound("The bytes of this picture are gone from the disk; restore them from the backup.") from error
    response = _partial(media, file, header) if header else FileResponse(file)
    response["Content-Type"] = media.content_type
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=3600, immutable"
    return response
