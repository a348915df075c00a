from django.apps import AppConfig


class FhirConfig(AppConfig):
    name = "shoufu.scenes.homecare.fhir"
    label = "homecare_fhir"
    default_auto_field = "django.db.models.BigAutoField"
