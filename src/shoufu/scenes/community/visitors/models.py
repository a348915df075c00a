from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Invitation(models.Model):
    """Somebody is expected at a home: by a resident's invitation, or noted at the guard's desk.

    `token_hash` is the SHA-256 of the 128-bit secret in the visitor's link, which is shown once and kept nowhere.
    `visit` is the pass at the doors (None where no door on the way takes codes: the desk lets in by the list).
    `windows` makes it recurring, as in `doors.Pass`. `last_step` is the newest 30 s step whose code the desk took.
    """

    PURPOSE = "letting in the people whom a resident or the property office expects"
    RETENTION_DAYS = 30

    class Kind(models.TextChoices):
        VISITOR = "visitor", _("Visitor")
        CARE = "care", _("Nurse or carer")
        COURIER = "courier", _("Parcel")
        FOOD = "food", _("Food delivery")
        CONTRACTOR = "contractor", _("Craftsperson")

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for the resident")
        REFUSED = "refused", _("Refused")
        EXPECTED = "expected", _("Expected")
        INSIDE = "inside", _("Inside")
        LEFT = "left", _("Left")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        OVER = "over", _("Did not come")

    OPEN = (State.ASKED, State.EXPECTED, State.INSIDE)

    household = models.ForeignKey("parties.Household", on_delete=models.PROTECT, related_name="invitations")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="invitations")
    host = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.VISITOR)
    visitor = models.CharField(max_length=80, blank=True)
    phone = models.BinaryField(null=True, blank=True)
    reason = models.CharField(max_length=120, blank=True)
    plate = models.CharField(max_length=12, blank=True)
    people = models.PositiveSmallIntegerField(default=1)
    since = models.DateTimeField()
    until = models.DateTimeField()
    windows = models.JSONField(default=list, blank=True)
    maximum = models.PositiveSmallIntegerField(null=True, blank=True)
    visit = models.OneToOneField(
        "doors.Pass", null=True, blank=True, on_delete=models.SET_NULL, related_name="invitation"
    )
    token_hash = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.EXPECTED)
    at_desk = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-since", "-id"]
        indexes = [
            models.Index(fields=["place", "-since"], name="invitation_place"),
            models.Index(fields=["household", "-since"], name="invitation_household"),
            models.Index(
                fields=["until"], name="invitation_open", condition=Q(state__in=["asked", "expected", "inside"])
            ),
            models.Index(fields=["plate"], name="invitation_plate", condition=~Q(plate="")),
        ]
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("since")), name="invitation_span")]


class LinkTry(models.Model):
    """How many wrong visitor links one address tried in one minute. `source` is a keyed hash; empty for everybody.

    Purpose: refusing whoever guesses. Retention: a week.
    """

    PURPOSE = "refusing whoever guesses visitors' links"
    RETENTION_DAYS = 7

    minute = models.DateTimeField()
    source = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["minute", "source"], name="link_try_once_a_minute")]
