from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shoufu.scenes.homecare.quality import codes


class Bar(models.Model):
    """An entry of the list of clients who misbehaved (不良行为名单): no new visits are booked for a time. Purpose:
    safety of those who visit homes. Retention: three years after it ended, or until the person is erased.

    It rests on incidents or refusals. Who proposed it does not decide it. It holds through `last_day` by the days of
    the patient's place. `reason` is for the patient to read, encrypted with their key. Emergency care is never refused.
    """

    PURPOSE = "safety of those who visit homes"
    RETENTION_DAYS = 1096

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        IN_FORCE = "in_force", _("In effect")
        PAUSED = "paused", _("Paused during the appeal")
        REJECTED = "rejected", _("Not entered")
        LIFTED = "lifted", _("Lifted")
        EXPIRED = "expired", _("Expired")

    RUNNING = (State.IN_FORCE, State.PAUSED)
    OPEN = (State.PROPOSED, *RUNNING)

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="bars")
    institution = models.ForeignKey("homecare_register.Institution", on_delete=models.PROTECT, related_name="bars")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_bars")
    code = models.CharField(max_length=10, choices=codes.Misconduct.choices)
    reason = models.BinaryField()
    incidents = models.ManyToManyField("homecare_quality.Incident", blank=True, related_name="bars")
    refusals = models.ManyToManyField("homecare_quality.Refusal", blank=True, related_name="bars")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    days = models.PositiveSmallIntegerField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_day = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(state__in=("proposed", "in_force", "paused")),
                name="homecare_bar_one_open",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(proposed_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="homecare_bar_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("in_force", "paused", "expired"))
                | Q(last_day__isnull=False, review_on__isnull=False, decided_at__isnull=False),
                name="homecare_bar_limited",
            ),
        ]

    @property
    def number(self) -> str:
        return f"B-{self.pk:06d}"


class Sanction(models.Model):
    """A practitioner is sent to nobody for a time because a rule was broken. Purpose: safety of patients. Retention:
    five years after it ended, or until the person is erased. `reason` is for the practitioner to read, encrypted with
    their key."""

    PURPOSE = "safety of patients"
    RETENTION_DAYS = 1826

    class State(models.TextChoices):
        IN_FORCE = "in_force", _("In effect")
        LIFTED = "lifted", _("Lifted")
        EXPIRED = "expired", _("Expired")

    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", on_delete=models.CASCADE, related_name="sanctions"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_sanctions")
    reason = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.IN_FORCE)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_day = models.DateField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner"], condition=Q(state="in_force"), name="homecare_sanction_one"
            )
        ]

    @property
    def number(self) -> str:
        return f"S-{self.pk:06d}"


class Appeal(models.Model):
    """Somebody says that an entry or a sanction is wrong; a person answers who had no part in it. Purpose and
    retention: with what it is about. `words` and `answer` are encrypted with the key of who appeals."""

    PURPOSE = "hearing whom a decision concerns"
    RETENTION_DAYS = Sanction.RETENTION_DAYS

    class State(models.TextChoices):
        OPEN = "open", _("Being looked into")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Not granted")

    bar = models.ForeignKey(Bar, null=True, blank=True, on_delete=models.CASCADE, related_name="appeals")
    sanction = models.ForeignKey(Sanction, null=True, blank=True, on_delete=models.CASCADE, related_name="appeals")
    words = models.BinaryField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.OPEN)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer_by = models.DateTimeField()
    late_told_at = models.DateTimeField(null=True, blank=True)
    answer = models.BinaryField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(bar__isnull=True, sanction__isnull=False) | Q(bar__isnull=False, sanction__isnull=True),
                name="homecare_appeal_about_one",
            ),
            models.UniqueConstraint(fields=["bar"], condition=Q(state="open"), name="homecare_appeal_one_of_bar"),
            models.UniqueConstraint(
                fields=["sanction"], condition=Q(state="open"), name="homecare_appeal_one_of_sanction"
            ),
        ]
