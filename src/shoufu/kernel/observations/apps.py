from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ObservationsConfig(AppConfig):
    name = "shoufu.kernel.observations"
    label = "observations"
    verbose_name = _("Observations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The end of a migration is the one moment when the tables are known to fit the code; services use no signals.
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(plan: list[Any] | None = None, **_: Any) -> None:
    from django.db import connection

    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.observations import services

    if "obs" not in connection.introspection.table_names():
        return  # migrated back to the beginning
    services.sync_kinds(SYSTEM)
    services.make_partitions(SYSTEM)
