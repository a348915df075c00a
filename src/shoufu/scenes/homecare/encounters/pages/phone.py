"""The nurse's phone: a page that holds nothing personal, its manifest, and the service worker that keeps it offline."""

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shoufu.kernel.base.pages import public
from shoufu.scenes.homecare.encounters.pages.assets import files, sprite


def _page() -> str:
    context = {
        "icons": sprite(),
        "files": files(),
        "worker": reverse("homecare:encounters:worker"),
        "scope": reverse("homecare:encounters:phone"),
        "manifest": reverse("homecare:encounters:manifest"),
    }
    return render_to_string("homecare/encounters/phone.html", context)


@public
@require_safe
def phone(request: HttpRequest) -> HttpResponse:
    """The app. Who may use it, and what is in it, comes by the API; the page itself is the same for everybody."""
    return HttpResponse(_page(), headers={"Cache-Control": "no-cache"})


@public
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """How the app is installed on a phone."""
    start = reverse("homecare:encounters:phone")
    content = {
        "name": _("Home visits"),
        "short_name": _("Home visits"),
        "id": start,
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#f3f5f7",
        "theme_color": "#0f6e84",
        "icons": [{"src": static("shell/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    return JsonResponse(content, content_type="application/manifest+json")


@public
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: keeps the app's own files, nothing of any patient. Its version is that of what it keeps."""
    page, scope = _page(), reverse("homecare:encounters:phone")
    module, styles, imports = files()
    kept = [scope, reverse("homecare:encounters:manifest"), static("shell/icon.svg"), module, *styles, *imports]
    if icons := sprite():
        kept.append(icons)
    kept = [one for one in kept if one]
    version = hashlib.sha256(json.dumps([kept, page]).encode()).hexdigest()[:12]
    context = {"kept": json.dumps(kept), "page": json.dumps(scope), "version": json.dumps(f"nurse-{version}")}
    script = render_to_string("homecare/encounters/sw.js", context)
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": scope}
    return HttpResponse(script, content_type="text/javascript", headers=headers)
