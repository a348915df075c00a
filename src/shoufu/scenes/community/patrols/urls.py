from django.urls import path

from shoufu.scenes.community.patrols import pages

app_name = "patrols"

urlpatterns = [
    path("", pages.today, name="today"),
    path("rounds/<int:round_id>/", pages.round_page, name="round"),
    path("point/<str:code>/", pages.point, name="point"),
    path("points/<int:check_point_id>/new-code", pages.new_code, name="new-code"),
    path("routes/", pages.routes, name="routes"),
    path("routes/new/", pages.route, name="route-new"),
    path("routes/<int:route_id>/", pages.route, name="route"),
    path("routes/<int:route_id>/codes/", pages.codes, name="codes"),
    path("shift/", pages.shift, name="shift"),
    path("report/", pages.report, name="report"),
]
