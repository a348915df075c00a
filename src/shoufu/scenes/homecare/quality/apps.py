from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "shoufu.scenes.homecare.quality"
    label = "homecare_quality"
    default_auto_field = "django.db.models.BigAutoField"
