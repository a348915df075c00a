from django.urls import path

from shoufu.kernel.cases import pages

app_name = "cases"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("new", pages.report, name="report"),
    path("bulk/<str:name>", pages.bulk, name="bulk"),
    path("<int:case_id>", pages.detail, name="detail"),
    path("<int:case_id>/panel", pages.panel, name="panel"),
    path("<int:case_id>/<str:name>", pages.act, name="act"),
]
