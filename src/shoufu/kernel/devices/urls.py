from django.urls import path

from shoufu.kernel.devices import pages

app_name = "devices"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("<int:device_id>", pages.detail, name="detail"),
    path("<int:device_id>/command", pages.command, name="command"),
    path("<int:device_id>/camera", pages.camera, name="camera"),
    path("<int:device_id>/zones", pages.zones, name="zones"),
]
