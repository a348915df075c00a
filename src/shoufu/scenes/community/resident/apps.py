from django.apps import AppConfig


class ResidentConfig(AppConfig):
    name = "shoufu.scenes.community.resident"
    label = "community_resident"
    default_auto_field = "django.db.models.BigAutoField"
