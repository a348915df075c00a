"""JSON in the encoding that the browser takes: zstd, else gzip, else as it is."""

import gzip
from typing import Any

import msgspec
import zstandard
from django.http import HttpRequest, HttpResponse

SMALL = 1024


def packed(request: HttpRequest, body: Any) -> HttpResponse:
    """The body as JSON, compressed (RFC 9110, 8.4; RFC 8878) where it is worth it."""
    data = msgspec.json.encode(body)
    accepted = {part.split(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")}
    coding = "" if len(data) < SMALL else next((name for name in ("zstd", "gzip") if name in accepted), "")
    if coding == "zstd":
        data = zstandard.ZstdCompressor(level=3).compress(data)
    elif coding == "gzip":
        data = gzip.compress(data, 5)
    response = HttpResponse(data, content_type="application/json")
    if coding:
        response["Content-Encoding"] = coding
    response["Vary"] = "Accept-Encoding, Cookie"
    return response
