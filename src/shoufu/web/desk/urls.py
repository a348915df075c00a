from django.urls import path

from shoufu.web.desk import pages

urlpatterns = [
    path("", pages.desk, name="desk"),
    path("queue", pages.queue, name="desk-queue"),
    path("map.json", pages.map_data, name="desk-map"),
    path("bars.json", pages.bars, name="desk-bars"),
    path("chunk.json", pages.chunk, name="desk-chunk"),
]
