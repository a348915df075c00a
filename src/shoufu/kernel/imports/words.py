from django.apps import apps
from django.utils.translation import gettext as _


def rows_of(label: str) -> str:
    """What the rows of a model are called in the reader's language; else the model's own name."""
    words = {
        "places.place": _("places"),
        "devices.device": _("devices"),
        "devices.channel": _("channels of devices"),
        "parties.person": _("people"),
        "parties.household": _("households"),
        "parties.residency": _("residencies"),
        "parties.membership": _("memberships"),
        "parties.organisation": _("organisations"),
        "parties.vehicle": _("vehicles"),
        "parties.consent": _("consents"),
        "parties.departure": _("receipts of leaving"),
        "access.user": _("accounts"),
        "access.roleassignment": _("roles"),
        "cases.case": _("cases"),
        "doors.credential": _("credentials"),
        "doors.accesspoint": _("access points"),
        "rules.rule": _("rules"),
        "media.mediaobject": _("pictures"),
    }
    return words.get(label) or str(apps.get_model(label)._meta.verbose_name)
