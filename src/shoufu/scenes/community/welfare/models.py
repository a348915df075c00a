from datetime import time

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Ladder(models.Model):
    """How many minutes each step of a check waits in a compound; the defaults hold where there is no row."""

    place = models.OneToOneField("places.Place", on_delete=models.CASCADE, related_name="welfare_ladder")
    resident_minutes = models.PositiveSmallIntegerField(default=15)
    contact_minutes = models.PositiveSmallIntegerField(default=20)
    worker_minutes = models.PositiveSmallIntegerField(default=30)
    going_minutes = models.PositiveSmallIntegerField(default=30)


class Watch(models.Model):
    """A person who opted in. Rests on the consent "welfare": without it the row goes, and all that was learned.

    `kept` is what the engine learned and where it stands (`engines.welfare.pack`), encrypted with the person's key:
    no page and no list reads it but the person's own. `due_at` is when a check is due if nothing more is heard.
    """

    PURPOSE = "asking somebody who lives alone, and wants it so, whether all is well when their home is too quiet"
    RETENTION_DAYS = 60

    class Mode(models.TextChoices):
        SENSORS = "sensors", _("Sensors at home")
        BUTTON = "button", _("A button each day")

    person = models.OneToOneField("parties.Person", on_delete=models.CASCADE, related_name="welfare_watch")
    household = models.ForeignKey("parties.Household", on_delete=models.CASCADE, related_name="welfare_watches")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="welfare_watches")
    mode = models.CharField(max_length=7, choices=Mode.choices, default=Mode.SENSORS)
    worker_role = models.CharField(max_length=32, default="community_worker")
    button_at = models.TimeField(default=time(10))
    paused_until = models.DateTimeField(null=True, blank=True)
    kept = models.BinaryField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    deaf_since = models.DateTimeField(null=True, blank=True)
    deaf_told = models.BooleanField(default=False)
    how = models.CharField(max_length=120)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["place__path", "pk"]
        indexes = [models.Index(fields=["due_at"], name="welfare_due", condition=Q(due_at__isnull=False))]


class Sensor(models.Model):
    """A device that the office installed in a home; it counts only while its resident lets a watch read it.

    `heard_at` is the time of its newest row, a heartbeat included; `lost_at` since when it is reported off line.
    """

    PURPOSE = Watch.PURPOSE
    RETENTION_DAYS = 60

    class Role(models.TextChoices):
        ACTIVITY = "activity", _("Movement in the home")
        DOOR = "door", _("The home's own door")

    household = models.ForeignKey("parties.Household", on_delete=models.CASCADE, related_name="welfare_sensors")
    device = models.OneToOneField("devices.Device", on_delete=models.CASCADE, related_name="welfare_sensor")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.ACTIVITY)
    watch = models.ForeignKey(Watch, null=True, blank=True, on_delete=models.SET_NULL, related_name="sensors")
    heard_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["household", "role", "pk"]


class Helper(models.Model):
    """Whom a person wants to have asked, in their order. `name` and `phone` are encrypted with the person's key.

    `known` is set where the helper is registered here: they are told in the application, and answer there if the
    person let them ("welfare.answer").
    """

    PURPOSE = Watch.PURPOSE
    RETENTION_DAYS = 60

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="helpers")
    name = models.BinaryField()
    phone = models.BinaryField(null=True, blank=True)
    known = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["watch", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(phone__isnull=False) | Q(known__isnull=False), name="welfare_helper_can_be_reached"
            )
        ]


class Check(models.Model):
    """One look after a person, from the first question to its end. Purpose: as Watch. Retention: half a year.

    `silent_since` and `known_seconds` are the sentence that only the person and who acts for them read; a worker sees
    neither. `going_by` is who said that they go there: until they answer, movement at home may be theirs.
    """

    PURPOSE = "showing that somebody was looked after, and how it ended"
    RETENTION_DAYS = 180

    class Reason(models.TextChoices):
        SILENT = "silent", _("The home is unusually quiet")
        NOT_BACK = "not_back", _("Away longer than ever")
        BUTTON = "button", _("The daily button was not pressed")

    class Step(models.TextChoices):
        RESIDENT = "resident", _("The resident")
        CONTACT = "contact", _("The contacts")
        WORKER = "worker", _("The community worker")
        DOOR = "door", _("Two people at the door")

    class Outcome(models.TextChoices):
        FINE = "fine", _("They said that they are well")
        SIGN = "sign", _("Movement in the home")
        REACHED = "reached", _("Somebody reached them: all is well")
        HELPED = "helped", _("Help was needed and is done")
        WITHDRAWN = "withdrawn", _("They left the welfare watch")

    WELL = (Outcome.FINE, Outcome.SIGN, Outcome.REACHED)
    ORDER = (Step.RESIDENT, Step.CONTACT, Step.WORKER, Step.DOOR)

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="welfare_checks")
    watch = models.ForeignKey(Watch, null=True, blank=True, on_delete=models.SET_NULL, related_name="checks")
    household = models.ForeignKey("parties.Household", on_delete=models.CASCADE, related_name="+")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="welfare_checks")
    reason = models.CharField(max_length=8, choices=Reason.choices)
    silent_since = models.DateTimeField(null=True, blank=True)
    known_seconds = models.PositiveIntegerField(default=0)
    learned = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    step = models.CharField(max_length=8, choices=Step.choices, default=Step.RESIDENT)
    until = models.DateTimeField(null=True, blank=True)
    going_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    case = models.OneToOneField(
        "cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="welfare_check"
    )

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["until"], name="welfare_check_open", condition=Q(ended_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(ended_at__isnull=True), name="welfare_one_check_at_a_time"
            )
        ]


class Entry(models.Model):
    """A line of a check: who was asked, who answered what. Purpose and retention: as Check."""

    PURPOSE = Check.PURPOSE
    RETENTION_DAYS = Check.RETENTION_DAYS

    class What(models.TextChoices):
        ASKED = "asked", _("Was asked")
        NOBODY = "nobody", _("Nobody could be told here")
        NO_ANSWER = "silence", _("No answer in time")
        GOING = "going", _("Is going there")
        CANNOT = "cannot", _("Could not reach them")
        HELP = "help", _("Help is needed")
        SIGN = "sign", _("Movement in the home")
        ENDED = "ended", _("Ended")
        TOLD = "told", _("Told of the end")

    check_of = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    step = models.CharField(max_length=8, choices=Check.Step.choices)
    what = models.CharField(max_length=8, choices=What.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    helper = models.ForeignKey(Helper, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    role = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["check_of", "at", "pk"]
