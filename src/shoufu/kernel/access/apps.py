from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "shoufu.kernel.access"
    label = "access"
    verbose_name = _("Access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # allauth offers nothing but signals here; the handlers only call a service.
        from allauth.mfa import signals

        signals.authenticator_added.connect(_added, dispatch_uid="access.credential")
        signals.authenticator_removed.connect(_removed, dispatch_uid="access.credential")


def _added(user: Any, authenticator: Any, **kwargs: Any) -> None:
    from shoufu.kernel.access import services

    services.credential_changed(user, f"{authenticator.type} added")


def _removed(user: Any, authenticator: Any, **kwargs: Any) -> None:
    from shoufu.kernel.access import services

    services.credential_changed(user, f"{authenticator.type} removed")
