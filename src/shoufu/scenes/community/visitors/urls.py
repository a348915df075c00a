from django.urls import path

from shoufu.scenes.community.visitors import pages

app_name = "visitors"

urlpatterns = [
    path("", pages.desk, name="desk"),
    path("check/", pages.check, name="check"),
    path("walk-in/", pages.walk_in, name="walk-in"),
    path("<int:visit_id>/", pages.visit, name="visit"),
    path("<int:visit_id>/act", pages.act, name="act"),
    path("v/<str:token>/", pages.link, name="link"),
]
