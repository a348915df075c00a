from django.db import models
from django.db.models import F, Q


class Offering(models.Model):
    """What can be booked at a place by those who belong to it. `current` are the terms of new bookings; `provider` is
    the code of the scene's part that says which slots are feasible (empty: availability alone decides). After
    `ends_at` nothing of it can be booked."""

    code = models.CharField(max_length=64, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="offerings")
    organisation = models.ForeignKey(
        "parties.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="offerings"
    )
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    provider = models.CharField(max_length=64, blank=True)
    current = models.ForeignKey("Terms", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place__path", "code"]


class Terms(models.Model):
    """One version of an offering's terms; a booking keeps those under which it was made. Never changed.

    A booking lasts `units` × `duration_minutes` (at most `most_units`) and starts on a grid of `step_minutes`;
    the buffers block the resource around it. With `capacity` above 1 a slot has that many places and no resource is
    taken. `price` is of one unit and place, in minor units of `currency`. `policy` is data: see `policy.Policy`.
    """

    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    duration_minutes = models.PositiveIntegerField()
    step_minutes = models.PositiveIntegerField()
    most_units = models.PositiveSmallIntegerField(default=1)
    buffer_before = models.PositiveIntegerField(default=0)
    buffer_after = models.PositiveIntegerField(default=0)
    capacity = models.PositiveIntegerField(default=1)
    lead_minutes = models.PositiveIntegerField(default=0)
    horizon_days = models.PositiveIntegerField(default=30)
    hold_seconds = models.PositiveIntegerField(default=600)
    price = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="CNY")
    policy = models.JSONField(default=dict)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["offering", "number"]
        constraints = [
            models.UniqueConstraint(fields=["offering", "number"], name="terms_number_once"),
            models.CheckConstraint(
                condition=Q(duration_minutes__gt=0, step_minutes__gt=0, capacity__gt=0, most_units__gt=0),
                name="terms_positive",
            ),
            models.CheckConstraint(condition=Q(capacity=1) | Q(most_units=1), name="terms_places_have_one_unit"),
        ]


class Requirement(models.Model):
    """A booking takes one of these resources for each requirement: two of them make a double service."""

    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, related_name="requirements")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    resources = models.ManyToManyField("booking.Resource", related_name="requirements")

    class Meta:
        ordering = ["offering", "position"]
        constraints = [models.UniqueConstraint(F("offering"), F("position"), name="requirement_position_once")]
