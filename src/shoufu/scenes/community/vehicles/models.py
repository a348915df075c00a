from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Lane(models.Model):
    """A lane of a gate: the camera that reads plates there, and the barrier that it may open."""

    class Direction(models.TextChoices):
        IN = "in", _("In")
        OUT = "out", _("Out")
        BOTH = "both", _("Both ways")

    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="lanes")
    compound = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=4, choices=Direction.choices, default=Direction.BOTH)
    camera = models.OneToOneField("devices.Device", on_delete=models.PROTECT, related_name="lane")
    barrier = models.ForeignKey(
        "devices.Device", null=True, blank=True, on_delete=models.PROTECT, related_name="barrier_lanes"
    )
    clear_seconds = models.PositiveSmallIntegerField(default=20)
    wait_seconds = models.PositiveSmallIntegerField(default=120)
    free_exit = models.BooleanField(default=True)


class ListEntry(models.Model):
    """A plate on a list: always welcome, expected, or watched for. Every entry says why, by whom and until when.

    Purpose: vehicle access and safety of the compound. Retention: 30 days after it ended.
    """

    PURPOSE = "vehicle access to the compound"
    RETENTION_DAYS = 30

    class List(models.TextChoices):
        WHITE = "white", _("Always let in")
        VISITOR = "visitor", _("Visitors")
        WATCH = "watch", _("Watched for")
        EMERGENCY = "emergency", _("Emergency")

    plate = models.CharField(max_length=12, db_index=True)
    list = models.CharField(max_length=12, choices=List.choices)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="vehicle_entries")
    purpose = models.CharField(max_length=200)
    author = models.CharField(max_length=120)
    person = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    passes = models.PositiveSmallIntegerField(null=True, blank=True)
    used = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("since")), name="vehicle_entry_span")]


class Passage(models.Model):
    """A vehicle at a lane, from its first reading until the lane clears: one row, with every raw reading.

    Purpose: vehicle access to the compound. Retention: 30 days.
    """

    PURPOSE = "vehicle access to the compound"
    RETENTION_DAYS = 30

    class Class(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        WHITE = "white", _("Always let in")
        VISITOR = "visitor", _("Visitor")
        EMERGENCY = "emergency", _("Emergency vehicle")
        WATCH = "watch", _("Watched for")
        SIMILAR = "similar", _("Like a known plate")
        UNKNOWN = "unknown", _("Unknown")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for the guard")
        OPENED = "opened", _("Opened by itself")
        LET_IN = "let_in", _("Let through by the guard")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Nobody decided")
        LATE = "late", _("Read too late to act")

    THROUGH = (State.OPENED, State.LET_IN)

    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="passages")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=4)
    plate = models.CharField(max_length=12, db_index=True)
    like = models.CharField(max_length=12, blank=True)
    klass = models.CharField(max_length=12, choices=Class.choices)
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.CharField(max_length=32)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    reads = models.JSONField(default=list)
    snapshot = models.CharField(max_length=64, blank=True)
    vehicle = models.ForeignKey("parties.Vehicle", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    entry = models.ForeignKey(ListEntry, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["lane", "-last_at"], name="passage_lane_last"),
            models.Index(fields=["place", "-began_at"], name="passage_place_began"),
            models.Index(fields=["began_at"], name="passage_waiting", condition=Q(state="waiting")),
        ]


class Parking(models.Model):
    """The parking spaces of a compound: how many, how many cars are inside, and the rules for guests.

    Inside are `counted` cars at `counted_at` and what has passed since. `tariff` is what `tariff.Tariff` reads.
    """

    class SecondCar(models.TextChoices):
        ALLOW = "allow", _("Let it in")
        GUEST = "guest", _("Let it in as a guest")
        ASK = "ask", _("Ask the guard")
        REFUSE = "refuse", _("Refuse it")

    place = models.OneToOneField("places.Place", on_delete=models.PROTECT, related_name="parking")
    capacity = models.PositiveIntegerField()
    counted = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()
    visitor_hours = models.PositiveSmallIntegerField(default=4)
    spaces_per_household = models.PositiveSmallIntegerField(default=1)
    second_car = models.CharField(max_length=8, choices=SecondCar.choices, default=SecondCar.ALLOW)
    tariff = models.JSONField(default=dict, blank=True)


class Stay(models.Model):
    """A vehicle inside a compound, from its passage in to its passage out. Purpose and retention: as Passage."""

    PURPOSE = "vehicle access to the compound"
    RETENTION_DAYS = 30

    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    plate = models.CharField(max_length=12, db_index=True)
    guest = models.BooleanField(default=False)
    household = models.ForeignKey(
        "parties.Household", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    overstayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["place", "since"], name="stay_inside", condition=Q(until__isnull=True)),
            models.Index(fields=["place", "-since"], name="stay_place_since"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["place", "plate"], condition=Q(until__isnull=True), name="stay_once_inside")
        ]
