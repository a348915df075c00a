from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "shoufu.kernel.rules"
    label = "rules"
    verbose_name = _("Rules")
    default_auto_field = "django.db.models.BigAutoField"
