import os


def setup() -> None:
    """Prepare Django for a command; does nothing the second time."""
    import django
    from django.apps import apps

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shoufu.runtime.settings")
    if not apps.ready:
        django.setup()
