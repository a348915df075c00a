from django.urls import path

from shoufu.kernel.evidence import pages

app_name = "evidence"

urlpatterns = [
    path("", pages.listing, name="list"),
    path("case/<int:case_id>", pages.new, name="new"),
    path("case/<int:case_id>/hold", pages.hold, name="hold"),
    path("<int:export_id>", pages.detail, name="detail"),
    path("<int:export_id>/progress", pages.progress, name="progress"),
    path("<int:export_id>/download", pages.download, name="download"),
    path("<int:export_id>/delete", pages.delete, name="delete"),
]
