from django.apps import AppConfig


class AssessmentConfig(AppConfig):
    name = "shoufu.scenes.homecare.assessment"
    label = "homecare_assessment"
    default_auto_field = "django.db.models.BigAutoField"
