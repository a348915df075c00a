from django.urls import path

from shoufu.kernel.imports import pages

app_name = "imports"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("new/<str:kind_code>/", pages.new, name="new"),
    path("templates/<str:kind_code>.xlsx", pages.template, name="template"),
    path("<int:import_id>/", pages.detail, name="detail"),
    path("<int:import_id>/columns", pages.columns, name="columns"),
    path("<int:import_id>/apply", pages.apply, name="apply"),
    path("<int:import_id>/drop", pages.drop, name="drop"),
    path("<int:import_id>/undo", pages.undo, name="undo"),
]
