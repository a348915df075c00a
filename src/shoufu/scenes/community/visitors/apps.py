from django.apps import AppConfig


class VisitorsConfig(AppConfig):
    name = "shoufu.scenes.community.visitors"
    label = "community_visitors"
    default_auto_field = "django.db.models.BigAutoField"
