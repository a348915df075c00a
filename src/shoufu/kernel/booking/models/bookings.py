from typing import TYPE_CHECKING, Optional

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from shoufu.kernel.booking.providers import Query


class Booking(models.Model):
    """Somebody has a slot of an offering. Purpose: keeping appointments. Retention: two years after it ended, then
    nobody is named in it.

    `user` made it, `person` is whom it is for. `details` is what the offering's provider asked to know: ids and codes,
    no words about anybody. `charge` is what its cancellation costs by its terms, in minor units.
    """

    PURPOSE = "keeping appointments"
    RETENTION_DAYS = 730

    class State(models.TextChoices):
        HELD = "held", _("Held")
        CONFIRMED = "confirmed", _("Confirmed")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        NO_SHOW = "no_show", _("Did not come")
        EXPIRED = "expired", _("Hold expired")

    LIVE = (State.HELD, State.CONFIRMED)
    TAKES = (State.HELD, State.CONFIRMED, State.COMPLETED, State.NO_SHOW)

    offering = models.ForeignKey("booking.Offering", on_delete=models.PROTECT, related_name="bookings")
    terms = models.ForeignKey("booking.Terms", on_delete=models.PROTECT, related_name="bookings")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="bookings")
    state = models.CharField(max_length=9, choices=State.choices, default=State.HELD)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    units = models.PositiveSmallIntegerField(default=1)
    quantity = models.PositiveIntegerField(default=1)
    held_until = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="bookings"
    )
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="bookings"
    )
    details = models.JSONField(default=dict, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    charge = models.PositiveBigIntegerField(default=0)
    charge_reason = models.CharField(max_length=16, blank=True)
    version = models.PositiveIntegerField(default=1)
    asked: Optional["Query"] = None
    """While it is made or moved, the question that its provider admitted; no column."""

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(fields=["place", "-starts_at"], name="booking_of_place"),
            models.Index(fields=["user", "-starts_at"], name="booking_of_user"),
            models.Index(fields=["person", "-starts_at"], name="booking_of_person"),
            models.Index(fields=["offering", "starts_at"], name="booking_of_slot"),
            models.Index(fields=["held_until"], name="booking_to_expire", condition=Q(state="held")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="booking_span"),
            models.CheckConstraint(condition=Q(quantity__gt=0, units__gt=0), name="booking_positive"),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(held_until__isnull=False), name="booking_hold_has_an_end"
            ),
        ]

    @property
    def number(self) -> str:
        return f"B-{self.pk:06d}"


class Allocation(models.Model):
    """A booking takes a resource for a span, buffers included; while it is `live` nobody else can, ever: the
    constraint is the backstop of the lock in `services.claims`."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="allocations")
    resource = models.ForeignKey("booking.Resource", on_delete=models.PROTECT, related_name="allocations")
    span = DateTimeRangeField()
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="allocation_no_overlap",
                expressions=[(F("resource"), RangeOperators.EQUAL), (F("span"), RangeOperators.OVERLAPS)],
                condition=Q(live=True),
            ),
        ]


class Tally(models.Model):
    """How many places of a slot are taken, for offerings whose slots have several."""

    offering = models.ForeignKey("booking.Offering", on_delete=models.CASCADE, related_name="tallies")
    starts_at = models.DateTimeField()
    taken = models.PositiveIntegerField(default=0)
    capacity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offering", "starts_at"], name="tally_once_a_slot"),
            models.CheckConstraint(condition=Q(taken__lte=F("capacity")), name="tally_never_oversold"),
        ]


class BookingEvent(models.Model):
    """A line of a booking's history: what happened, when, by whom, and for a change of time from when to when.
    Retention: with the booking."""

    PURPOSE = "keeping appointments"
    RETENTION_DAYS = 730

    class Kind(models.TextChoices):
        HELD = "held", _("Held")
        PROMOTED = "promoted", _("Held from the waiting list")
        CONFIRMED = "confirmed", _("Confirmed")
        MOVED = "moved", _("Moved")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        NO_SHOW = "no_show", _("Did not come")
        EXPIRED = "expired", _("Hold expired")

    class Cause(models.TextChoices):
        BOOKER = "booker", _("By who booked")
        OFFICE = "office", _("By the office")
        LEFT = "left", _("The person has left")
        CLOSED = "closed", _("The offering is no longer there")
        CLOCK = "clock", _("By the clock: nobody said anything")

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=9, choices=Kind.choices)
    cause = models.CharField(max_length=8, choices=Cause.choices, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    before = models.DateTimeField(null=True, blank=True)
    after = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]


class WaitingEntry(models.Model):
    """Somebody takes any slot of an offering that starts between two instants, first come first served; when one gets
    free it is held for them (`booking`) and they are told. Purpose: keeping appointments. Retention: 90 days after."""

    PURPOSE = "keeping appointments"
    RETENTION_DAYS = 90

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        OFFERED = "offered", _("A slot is held")
        TAKEN = "taken", _("Slot taken")
        LAPSED = "lapsed", _("Came to nothing")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    offering = models.ForeignKey("booking.Offering", on_delete=models.CASCADE, related_name="waiting")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="waiting")
    person = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    units = models.PositiveSmallIntegerField(default=1)
    quantity = models.PositiveIntegerField(default=1)
    details = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.SET_NULL, related_name="waiting")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["made_at", "id"]
        indexes = [
            models.Index(fields=["offering", "made_at"], name="waiting_queue", condition=Q(state="waiting")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="waiting_span"),
            models.UniqueConstraint(
                fields=["offering", "user", "since", "until"],
                condition=Q(state="waiting"),
                name="waiting_once",
            ),
        ]


class Request(models.Model):
    """A write that named an Idempotency-Key, and the booking that came of it: the same one again is not done twice.
    `fingerprint` is the SHA-256 of what was asked. Retention: seven days."""

    PURPOSE = "not doing a request twice"
    RETENTION_DAYS = 7

    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    fingerprint = models.BinaryField(max_length=32)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.CASCADE, related_name="requests")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="request_once")]
        indexes = [models.Index(fields=["made_at"], name="request_age")]
