from django.urls import path

from shoufu.scenes.community.vehicles import pages

app_name = "vehicles"

urlpatterns = [
    path("", pages.gate, name="gate"),
    path("passages/", pages.passages, name="passages"),
    path("passages/<int:passage_id>/", pages.passage, name="passage"),
    path("passages/<int:passage_id>/answer", pages.decide, name="answer"),
    path("lists/", pages.lists, name="lists"),
    path("lists/new/", pages.entry, name="entry"),
    path("lists/revoke", pages.revoke, name="revoke"),
    path("registered/", pages.registered, name="registered"),
    path("registered/<int:vehicle_id>/", pages.vehicle, name="vehicle"),
    path("lanes/", pages.lanes, name="lanes"),
    path("parking/", pages.parking, name="parking"),
    path("parking/<int:parking_id>/count", pages.correct, name="correct"),
    path("parking/rules/<int:place_id>/", pages.parking_rules, name="parking-rules"),
]
