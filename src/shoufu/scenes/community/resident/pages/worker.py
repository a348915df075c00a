"""What makes the pages a web app: the manifest, the service worker, and the page that it shows without a network."""

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shoufu.kernel.base.pages import public
from shoufu.scenes.community.resident.pages.assets import assets


@public
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """How the pages are installed on a phone."""
    start = reverse("community:resident:home")
    icons = [{"src": static("shell/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}]
    content = {
        "name": _("My home"),
        "short_name": _("My home"),
        "id": start,
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": "#f3f5f7",
        "theme_color": "#0f6e84",
        "icons": icons,
        "shortcuts": [{"name": _("Invite a visitor"), "url": reverse("community:resident:invite")}],
    }
    return JsonResponse(content, content_type="application/manifest+json")


@public
@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The service worker: keeps the offline page and what it needs, and never a page with personal data."""
    kept = [reverse("community:resident:offline"), static("shell/theme.js"), *assets()]
    version = hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:12]
    context = {"kept": json.dumps(kept), "offline": json.dumps(kept[0]), "version": json.dumps(f"resident-{version}")}
    answered = render(request, "community/resident/sw.js", context, content_type="text/javascript")
    answered["Cache-Control"] = "no-cache"
    return answered


@public
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page without a network: the code of the key that this phone keeps. Holds nothing personal itself."""
    return render(request, "community/resident/offline.html")
