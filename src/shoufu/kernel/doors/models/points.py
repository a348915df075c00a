from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Technology(models.TextChoices):
    """What is read, with the honest difference between what can be copied and what cannot."""

    CARD = "card", _("Card (number only)")
    SECURE_CARD = "secure_card", _("Card (encrypted)")
    PIN = "pin", _("PIN")
    QR = "qr", _("QR code")
    FACE = "face", _("Face")
    PLATE = "plate", _("Number plate")


CLONABLE = frozenset({Technology.CARD, Technology.PIN, Technology.PLATE})
"""A number read in clear (Wiegand, MIFARE Classic, a plate) can be written onto another card; so can a PIN be told."""


class Named(models.Model):
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


class AccessPoint(Named):
    """A place to pass: a door, gate, barrier or turnstile, driven by one output of a controller.

    Words and modes are those of ONVIF's Door and Access Control services. Times are seconds. A point passes people from
    `area_out` to `area_in` (anti-passback); points of one `interlock` group are never open together.
    """

    class Kind(models.TextChoices):
        UNIT_DOOR = "unit_door", _("Unit door")
        GATE = "gate", _("Compound gate")
        BARRIER = "barrier", _("Barrier")
        TURNSTILE = "turnstile", _("Turnstile")

    class Mode(models.TextChoices):
        LOCKED = "locked", _("Locked; opens for who may pass")
        UNLOCKED = "unlocked", _("Unlocked")
        DOUBLE_LOCKED = "double_locked", _("Double locked")
        BLOCKED = "blocked", _("Blocked")

    class Passback(models.TextChoices):
        OFF = "off", _("Not watched")
        SOFT = "soft", _("Logged, and opens")

    code = models.CharField(max_length=64, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="access_points")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    controller = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="access_points")
    output = models.PositiveSmallIntegerField(default=1)
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.LOCKED)
    release_seconds = models.PositiveSmallIntegerField(default=5)
    extended_seconds = models.PositiveSmallIntegerField(default=15)
    held_seconds = models.PositiveSmallIntegerField(default=60)
    warn_seconds = models.PositiveSmallIntegerField(default=15)
    interlock = models.CharField(max_length=32, blank=True)
    area_in = models.CharField(max_length=32, blank=True)
    area_out = models.CharField(max_length=32, blank=True)
    passback = models.CharField(max_length=4, choices=Passback.choices, default=Passback.OFF)
    first_person_in = models.BooleanField(default=False)
    dwelling = models.BooleanField(default=False)
    counter = models.ForeignKey(
        "devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="counted_points"
    )
    intercom = models.CharField(max_length=160, blank=True)
    unlock_schedule = models.ForeignKey(
        "doors.Schedule", null=True, blank=True, on_delete=models.PROTECT, related_name="unlocked_points"
    )
    fire_zone = models.PositiveSmallIntegerField(default=0)
    has_contact = models.BooleanField(default=True)
    has_bolt = models.BooleanField(default=True)
    group_bit = models.SmallIntegerField(default=-1)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place__path", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["controller", "output"], condition=Q(retired_at__isnull=True), name="doors_output_once"
            ),
            models.CheckConstraint(condition=Q(output__range=(1, 32)), name="doors_output_range"),
            models.CheckConstraint(
                condition=Q(warn_seconds__lt=F("held_seconds")), name="doors_warning_before_the_alarm"
            ),
        ]


class Reader(models.Model):
    """A reader of an access point: what it reads, and on which side it stands (people pass `in` or `out`)."""

    class Side(models.TextChoices):
        IN = "in", _("In")
        OUT = "out", _("Out")

    point = models.ForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="readers")
    number = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=3, choices=Side.choices, default=Side.IN)
    technology = models.CharField(max_length=12, choices=Technology.choices)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["point", "number"], name="doors_reader_once")]


class DoorGroup(models.Model):
    """Doors of one compound that take the same QR codes. A higher `epoch` is another key: all old codes are refused."""

    place = models.OneToOneField("places.Place", on_delete=models.CASCADE, related_name="door_group")
    number = models.PositiveSmallIntegerField()
    epoch = models.PositiveIntegerField(default=1)


class HashKey(models.Model):
    """Which epoch of the installation's key hashes credentials in rule sets; one row."""

    epoch = models.PositiveIntegerField(default=1)


class DoorState(models.Model):
    """The four facts of a door, each as it was last told: command, bolt, contact, mode. Never one field for all.

    `at` is when each took its value; a value that came late and is older changes nothing.
    """

    point = models.OneToOneField(AccessPoint, on_delete=models.CASCADE, primary_key=True, related_name="state")
    command = models.CharField(max_length=16, blank=True)
    bolt = models.CharField(max_length=16, blank=True)
    contact = models.CharField(max_length=16, blank=True)
    mode = models.CharField(max_length=16, blank=True)
    at = models.JSONField(default=dict, blank=True)
    alarm = models.CharField(max_length=24, blank=True)
    alarm_at = models.DateTimeField(null=True, blank=True)
