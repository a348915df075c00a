from django.urls import path

from shoufu.scenes.homecare.fhir import pages
from shoufu.scenes.homecare.fhir.http import bulk, views

app_name = "fhir"

BASE = "R4"

urlpatterns = [
    path("", pages.home, name="home"),
    path("refusals/", pages.refusals, name="refusals"),
    path("exports/begin", pages.begin, name="begin"),
    path("exports/<uuid:bulk_id>/cancel", pages.cancel, name="cancel"),
    path("exports/<uuid:bulk_id>/<str:kind>", pages.download, name="download"),
    path(BASE, views.base, name="base"),
    path(f"{BASE}/", views.base),
    path(f"{BASE}/metadata", views.metadata, name="metadata"),
    path(f"{BASE}/$export", bulk.everything, name="export"),
    path(f"{BASE}/Patient/$export", bulk.patients, name="patient-export"),
    path(f"{BASE}/$export-status/<uuid:bulk_id>", bulk.status, name="export-status"),
    path(f"{BASE}/$export-files/<uuid:bulk_id>/<str:kind>", bulk.file, name="export-file"),
    path(f"{BASE}/<str:kind>", views.kind, name="kind"),
    path(f"{BASE}/<str:kind>/", views.kind),
    path(f"{BASE}/<str:kind>/_search", views.search, name="search"),
    path(f"{BASE}/<str:kind>/$validate", views.validate, name="validate"),
    path(f"{BASE}/<str:kind>/<str:logical>", views.resource, name="resource"),
    path(f"{BASE}/<str:kind>/<str:logical>/_history", views.history, name="history"),
    path(f"{BASE}/<str:kind>/<str:logical>/_history/<str:number>", views.version, name="version"),
    path(f"{BASE}/<path:rest>", views.elsewhere, name="elsewhere"),
]
