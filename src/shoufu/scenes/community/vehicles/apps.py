from django.apps import AppConfig


class VehiclesConfig(AppConfig):
    name = "shoufu.scenes.community.vehicles"
    label = "community_vehicles"
    default_auto_field = "django.db.models.BigAutoField"
