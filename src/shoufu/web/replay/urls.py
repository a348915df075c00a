from django.urls import path

from shoufu.web.replay import pages

urlpatterns = [
    path("", pages.replay, name="replay"),
    path("stage", pages.stage, name="replay-stage"),
    path("chunk", pages.chunk, name="replay-chunk"),
    path("bars", pages.bars, name="replay-bars"),
    path("pictures", pages.pictures, name="replay-pictures"),
    path("case", pages.next_case, name="replay-case"),
    path("days", pages.days, name="replay-days"),
    path("movement/", pages.movement, name="replay-movement"),
    path("movement/counts", pages.counts, name="replay-counts"),
]
