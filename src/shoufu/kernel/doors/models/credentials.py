from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.doors.models.points import CLONABLE, AccessPoint, Technology


class Credential(models.Model):
    """What opens a door: a card, PIN, rotating QR of a phone, face or plate, of a person or of a visitor.

    What is read is kept sealed (`secret`: with the person's key, a visitor's with the key ring), because another hash
    key needs it again; `lookup` is a keyed hash to find and to compare it by, `key` its name in rule sets.
    `valid_until` is its own end; the lease is shorter and renewed at each sync of a controller, so that a controller
    that nobody can reach lets nobody in for longer than `lease_days` (0: no lease, for emergency keys only).
    """

    PURPOSE = "opening the doors of the places where somebody lives, works or visits"
    RETENTION_DAYS = 90

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        REVOKED = "revoked", _("Revoked")
        LOST = "lost", _("Lost")

    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="credentials")
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="credentials"
    )
    holder = models.CharField(max_length=80, blank=True)
    technology = models.CharField(max_length=12, choices=Technology.choices)
    label = models.CharField(max_length=80, blank=True)
    secret = models.BinaryField(null=True, blank=True)
    lookup = models.BinaryField(max_length=32, null=True, blank=True, db_index=True)
    key = models.BinaryField(max_length=8, null=True, blank=True, db_index=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    lease_days = models.PositiveSmallIntegerField(default=14)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    state_since = models.DateTimeField()
    state_reason = models.CharField(max_length=200, blank=True)
    extended = models.BooleanField(default=False)
    duress = models.BooleanField(default=False)
    first_person = models.BooleanField(default=False)
    emergency = models.BooleanField(default=False)
    passback_exempt = models.BooleanField(default=False)
    consent = models.ForeignKey(
        "parties.Consent", null=True, blank=True, on_delete=models.PROTECT, related_name="credentials"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "place"], name="doors_credential_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False) | ~Q(technology="face"), name="doors_face_is_a_persons"
            ),
            models.CheckConstraint(
                condition=~Q(technology="face") | Q(consent__isnull=False) | ~Q(state="active"),
                name="doors_face_needs_consent",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="doors_credential_span",
            ),
            models.CheckConstraint(condition=Q(lease_days__in=(0, 7, 14, 30)), name="doors_lease_days"),
            models.UniqueConstraint(
                fields=["technology", "lookup"],
                condition=Q(state__in=["active", "suspended"], lookup__isnull=False) & ~Q(technology="pin"),
                name="doors_one_holder_of_a_number",
            ),
        ]

    @property
    def clonable(self) -> bool:
        """Whether the same can be made again by whoever reads it once."""
        return self.technology in CLONABLE


class Pass(models.Model):
    """A right to pass for a visitor, nurse or courier: doors, a time, a number of passes. Its QR is `credential`.

    `windows` narrows a recurring pass ([{"days": [...], "from": "HH:MM", "to": "HH:MM"}], as Schedule); `uses` counts
    openings that controllers told of. `owner` is the controller that counts a capped pass: one place counts, so a pass
    of several doors cannot be spent twice while they are offline.
    """

    PURPOSE = "letting in the people whom a resident or the property office expects"
    RETENTION_DAYS = 90

    class Purpose(models.TextChoices):
        VISITOR = "visitor", _("Visitor")
        CARE = "care", _("Nurse or carer")
        COURIER = "courier", _("Courier")
        CONTRACTOR = "contractor", _("Contractor")

    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, primary_key=True, related_name="admission")
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.VISITOR)
    host = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="passes_given"
    )
    windows = models.JSONField(default=list, blank=True)
    maximum = models.PositiveSmallIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    first_used_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    points = models.ManyToManyField(AccessPoint, related_name="passes")
    issued_by = models.CharField(max_length=120)
    issued_at = models.DateTimeField()


class Passage(models.Model):
    """A decision at a door that named a credential: kept for "who may pass and when did they", and for passes' uses.

    Filled from the observations `door.access`; the log itself is the record.
    """

    PURPOSE = "safety of the compound: who passed which door, when"
    RETENTION_DAYS = 90

    id = models.UUIDField(primary_key=True)
    point = models.ForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="passages")
    credential = models.ForeignKey(Credential, null=True, blank=True, on_delete=models.CASCADE, related_name="passages")
    at = models.DateTimeField()
    known = models.DateTimeField()
    granted = models.BooleanField()
    technology = models.CharField(max_length=12)
    side = models.CharField(max_length=3, blank=True)
    reason = models.CharField(max_length=32, blank=True)
    duress = models.BooleanField(default=False)
    rule_set = models.PositiveIntegerField(null=True, blank=True)
    clock = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["point", "-at"], name="doors_passage_point"),
            models.Index(fields=["credential", "-at"], name="doors_passage_credential"),
        ]
