from django.db import models
from django.utils.translation import gettext_lazy as _


class LookBack(models.Model):
    """That somebody replayed a day of a place during an hour: noted in the audit once, not with every chunk."""

    PURPOSE = "accountability"
    RETENTION_DAYS = 2

    actor = models.CharField(max_length=80)
    place = models.ForeignKey("places.Place", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "place", "day", "hour"], name="history_look_once")]


class Flow(models.Model):
    """How many passages a door, a line, a zone or a lane saw in one hour of one day at its place; nobody among them.

    There is a row only where at least `flows.LEAST` different ones passed in that very hour, so that neither a row nor
    the difference of any two sums of rows singles anybody out. `spot` names the line or zone of a camera.

    Purpose: how a place is used. Retention: three years; it holds no personal data.
    """

    PURPOSE = "how a place is used"
    RETENTION_DAYS = 3 * 365

    class What(models.TextChoices):
        PEOPLE = "people", _("People")
        VEHICLES = "vehicles", _("Vehicles")

    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="+")
    place = models.ForeignKey("places.Place", on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=8, choices=What.choices)
    spot = models.CharField(max_length=200, blank=True)
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "what", "spot", "day", "hour"], name="history_flow_once"),
            models.CheckConstraint(condition=models.Q(hour__lt=24), name="history_flow_hour"),
        ]
        indexes = [models.Index(fields=["place", "day"], name="history_flow_place_day")]
