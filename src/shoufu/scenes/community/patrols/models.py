from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Route(models.Model):
    """A way that a guard walks at set times of day, past check points in a set order.

    `times` are wall times ("22:00") in the place's zone; a round may begin from its time until `grace_minutes` later.
    """

    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="patrol_routes")
    name = models.CharField(max_length=80)
    times = models.JSONField(default=list)
    grace_minutes = models.PositiveSmallIntegerField(default=30)
    walk_minutes = models.PositiveSmallIntegerField(default=60)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["place__path", "name"]
        constraints = [
            models.UniqueConstraint(fields=["place", "name"], name="patrol_route_once"),
            models.CheckConstraint(
                condition=Q(grace_minutes__gte=5) & Q(walk_minutes__gte=5), name="patrol_route_minutes"
            ),
        ]


class CheckPoint(models.Model):
    """A printed QR code on the way. Its code is random: it tells a finder nothing, and is replaced when copied."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="points")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    code = models.CharField(max_length=22, unique=True)

    class Meta:
        ordering = ["route", "position"]
        constraints = [models.UniqueConstraint(fields=["route", "position"], name="patrol_point_position")]


class Round(models.Model):
    """A walk of a route that was due at a moment. Purpose: proof that the patrol was walked. Retention: one year."""

    PURPOSE = "proof that a patrol was walked"
    RETENTION_DAYS = 365

    class State(models.TextChoices):
        DUE = "due", _("Due")
        WALKING = "walking", _("Under way")
        DONE = "done", _("Done")
        INCOMPLETE = "incomplete", _("Incomplete")
        MISSED = "missed", _("Missed")

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="rounds")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    walker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="patrol_rounds"
    )
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-due_at", "route"]
        indexes = [models.Index(fields=["state", "due_at"], name="patrol_round_state")]
        constraints = [models.UniqueConstraint(fields=["route", "due_at"], name="patrol_round_once")]


class Passing(models.Model):
    """A check point was scanned on a round. Purpose and retention: as Round. No track between the points is kept."""

    PURPOSE = "proof that a patrol was walked"
    RETENTION_DAYS = 365

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="passings")
    point = models.ForeignKey(CheckPoint, on_delete=models.CASCADE, related_name="passings")
    at = models.DateTimeField()
    in_order = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["round", "point"], name="patrol_point_once_a_round")]


class Shift(models.Model):
    """A person is on duty at a place. Purpose: knowing who was on duty. Retention: two years."""

    PURPOSE = "knowing who was on duty"
    RETENTION_DAYS = 730

    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="shifts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shifts")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at__isnull=True), name="shift_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")), name="shift_span"
            ),
        ]
