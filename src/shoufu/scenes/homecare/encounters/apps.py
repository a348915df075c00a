from django.apps import AppConfig


class EncountersConfig(AppConfig):
    name = "shoufu.scenes.homecare.encounters"
    label = "homecare_encounters"
    default_auto_field = "django.db.models.BigAutoField"
