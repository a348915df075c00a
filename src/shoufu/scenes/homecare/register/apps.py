from django.apps import AppConfig


class RegisterConfig(AppConfig):
    name = "shoufu.scenes.homecare.register"
    label = "homecare_register"
    default_auto_field = "django.db.models.BigAutoField"
