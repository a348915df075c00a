from django.urls import include, path

app_name = "homecare"

PARTS = ("register", "assessment", "visits", "planning", "encounters", "careplans", "quality", "fhir")

urlpatterns = [path(f"{part}/", include(f"shoufu.scenes.homecare.{part}.urls")) for part in PARTS]
