from django.apps import AppConfig


class WelfareConfig(AppConfig):
    name = "shoufu.scenes.community.welfare"
    label = "community_welfare"
    default_auto_field = "django.db.models.BigAutoField"
