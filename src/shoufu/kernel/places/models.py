from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Place(models.Model):
    """A node of the place tree: district › block › compound › building › unit › door, and areas beside them.

    `path` is the materialised path of ids ("/1/7/12/"); a subtree is a prefix. Geometry is GeoJSON in WGS-84
    (longitude, latitude); `datum` keeps what the source said ("WGS-84", "GCJ-02", "BD-09").
    """

    class Kind(models.TextChoices):
        DISTRICT = "district", _("District")
        BLOCK = "block", _("Block")
        COMPOUND = "compound", _("Compound")
        BUILDING = "building", _("Building")
        UNIT = "unit", _("Unit")
        DOOR = "door", _("Door")
        GATE = "gate", _("Gate")
        AREA = "area", _("Area")
        ROAD = "road", _("Road")

    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    path = models.CharField(max_length=200, unique=True)
    depth = models.PositiveSmallIntegerField()
    sort = models.IntegerField(default=0)
    geometry = models.JSONField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    datum = models.CharField(max_length=8, default="WGS-84")
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="places_name_once_per_parent"),
            models.CheckConstraint(
                condition=models.Q(longitude__isnull=True) | models.Q(longitude__range=(-180, 180)),
                name="places_longitude_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True) | models.Q(latitude__range=(-90, 90)),
                name="places_latitude_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name
