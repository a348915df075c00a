from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "shoufu.web"
    label = "web"
