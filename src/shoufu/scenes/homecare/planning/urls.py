from django.urls import path

from shoufu.scenes.homecare.planning.pages import day, deeds, proposals, settings

app_name = "planning"

urlpatterns = [
    path("", day.board, name="board"),
    path("data/", day.data, name="data"),
    path("places/", day.places, name="places"),
    path("routes/", day.routes, name="routes"),
    path("deeds/", deeds.day, name="deeds"),
    path("visits/<int:visit_id>/", deeds.visit, name="visit"),
    path("people/<int:practitioner_id>/", deeds.person, name="person"),
    path("proposals/<int:proposal_id>/", proposals.proposal, name="proposal"),
    path("settings/<int:institution_id>/", settings.settings, name="settings"),
]
