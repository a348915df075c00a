from django.urls import path

from shoufu.scenes.homecare.fhir.http import views

app_name = "fhir"

BASE = "R4"

urlpatterns = [
    path(BASE, views.base, name="base"),
    path(f"{BASE}/", views.base),
    path(f"{BASE}/metadata", views.metadata, name="metadata"),
    path(f"{BASE}/<str:kind>", views.kind, name="kind"),
    path(f"{BASE}/<str:kind>/", views.kind),
    path(f"{BASE}/<str:kind>/_search", views.search, name="search"),
    path(f"{BASE}/<str:kind>/$validate", views.validate, name="validate"),
    path(f"{BASE}/<str:kind>/<str:logical>", views.resource, name="resource"),
    path(f"{BASE}/<str:kind>/<str:logical>/_history", views.history, name="history"),
    path(f"{BASE}/<str:kind>/<str:logical>/_history/<str:number>", views.version, name="version"),
    path(f"{BASE}/<path:rest>", views.elsewhere, name="elsewhere"),
]
