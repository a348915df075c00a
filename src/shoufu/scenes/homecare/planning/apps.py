from django.apps import AppConfig


class PlanningConfig(AppConfig):
    name = "shoufu.scenes.homecare.planning"
    label = "homecare_planning"
    default_auto_field = "django.db.models.BigAutoField"
