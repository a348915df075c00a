from django.apps import AppConfig


class PatrolsConfig(AppConfig):
    name = "shoufu.scenes.community.patrols"
    label = "community_patrols"
    default_auto_field = "django.db.models.BigAutoField"
