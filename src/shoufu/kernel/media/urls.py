from django.urls import path

from shoufu.kernel.media import pages, playback

app_name = "media"

urlpatterns = [
    path("<uuid:media_id>", pages.content, name="content"),
    path("devices/<int:device_id>/latest.jpg", playback.latest, name="latest"),
    path("devices/<int:device_id>/play.m3u8", playback.playlist, name="playlist"),
    path("devices/<int:device_id>/coverage", playback.coverage, name="coverage"),
    path("devices/<int:device_id>/recording", playback.player, name="player"),
    path("devices/<int:device_id>/cut", playback.cut, name="cut"),
    path("segments/<int:segment_id>.ts", playback.segment, name="segment"),
]
