from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "shoufu.scenes.homecare.visits"
    label = "homecare_visits"
    default_auto_field = "django.db.models.BigAutoField"
