from django.apps import AppConfig


class CareplansConfig(AppConfig):
    name = "shoufu.scenes.homecare.careplans"
    label = "homecare_careplans"
    default_auto_field = "django.db.models.BigAutoField"
