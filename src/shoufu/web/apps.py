from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "shoufu.web"
    label = "web"

    def ready(self) -> None:
        from shoufu.web import translations

        translations.compile_stale()
