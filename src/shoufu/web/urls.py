from importlib.util import find_spec

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

from shoufu.kernel.base import registry
from shoufu.web import demo, pages
from shoufu.web.api import api


def _kernel() -> list[URLPattern | URLResolver]:
    """Each kernel app's pages at /<app>/."""
    found: list[URLPattern | URLResolver] = []
    for config in apps.get_app_configs():
        name = f"{config.name}.urls"
        if config.name.startswith("shoufu.kernel.") and find_spec(name):
            found.append(path(f"{config.label}/", include(name)))
    return found


def _scenes() -> list[URLPattern | URLResolver]:
    return [path(f"{scene.code}/", include(scene.urls)) for scene in registry.scenes() if scene.urls]


urlpatterns = [
    path("", pages.home, name="home"),
    path("desk/", include("shoufu.web.desk.urls")),
    path("replay/", include("shoufu.web.replay.urls")),
    path("overview/", pages.overview, name="overview"),
    path("wall/", pages.wall_screen, name="wall"),
    path("wall/cameras", pages.camera_wall, name="camera-wall"),
    path("scope/", pages.scope_menu, name="scope"),
    path("search/", pages.search, name="search"),
    path("healthz", pages.healthz, name="healthz"),
    path("push-worker.js", pages.push_worker, name="push-worker"),
    path("language/<str:code>/", pages.language, name="language"),
    path("profile/", include("shoufu.web.profile.urls")),
    path("health/", include("shoufu.web.health.urls")),
    path("accounts/demo/<str:token>/", demo.sign_in, name="demo"),
    path("accounts/", include("allauth.urls")),
    path("api/", api.urls),
    *_kernel(),
    *_scenes(),
]

handler403 = "shoufu.web.failures.refused"
handler404 = "shoufu.web.failures.not_found"
handler500 = "shoufu.web.failures.broken"
