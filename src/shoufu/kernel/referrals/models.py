from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Destination(models.Model):
    """Another organisation that takes cases over from the places below `place`: an alarm centre, an emergency desk.

    By the channel "console" its officers work here (their role names the organisation); by "webhook" signed messages go
    to `url`, and to `second_url` where the first does not answer. `secret` signs what goes out, `callback_secret` what
    comes in; both are encrypted. `restriction` says for whom the messages are (CAP scope Restricted).
    `policy` is data: see `Terms`.
    """

    class Channel(models.TextChoices):
        CONSOLE = "console", _("Console here")
        WEBHOOK = "webhook", _("Signed webhook")

    class Body(models.TextChoices):
        CAP = "cap", _("CAP 1.2 (XML)")
        JSON = "json", _("JSON")

    code = models.CharField(max_length=64, unique=True)
    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="destinations")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="destinations")
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    body = models.CharField(max_length=4, choices=Body.choices, default=Body.CAP)
    url = models.CharField(max_length=300, blank=True)
    second_url = models.CharField(max_length=300, blank=True)
    secret = models.BinaryField(null=True, blank=True)
    callback_secret = models.BinaryField(null=True, blank=True)
    restriction = models.CharField(max_length=200)
    policy = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    heard_at = models.DateTimeField(null=True, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    outage = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["place__path", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="console") | (~Q(url="") & Q(secret__isnull=False)), name="destination_reachable"
            )
        ]


class Policy(models.Model):
    """Cases that go to a destination by themselves: of these kinds and severities (empty: any), once escalated so often
    and open so long. `since` is when it was switched on: older cases stay where they are."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="policies")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="referral_policies")
    name = models.CharField(max_length=120)
    kinds = models.JSONField(default=list, blank=True)
    severities = models.JSONField(default=list, blank=True)
    escalation = models.PositiveSmallIntegerField(default=0)
    after_minutes = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=False)
    since = models.DateTimeField(null=True, blank=True)
    author = models.CharField(max_length=120)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place__path", "name"]


class Referral(models.Model):
    """A case that was sent to another organisation, and what became of it there.

    `contact` (whom to call about it) is encrypted with the key ring and blanked when the retention ends. `case_version`
    is the version of the case that the receiver was told last. Purpose: help by another organisation.
    """

    PURPOSE = "help by another organisation"
    RETENTION_DAYS = 730

    class State(models.TextChoices):
        SENT = "sent", _("Sent")
        RECEIVED = "received", _("Received")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")
        ENDED = "ended", _("Outcome known")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Outcome(models.TextChoices):
        HANDLED = "handled", _("Dealt with")
        FALSE_ALARM = "false_alarm", _("False alarm")
        NO_ACTION = "no_action", _("No action needed")
        PASSED_ON = "passed_on", _("Passed on to others")

    OPEN = (State.SENT, State.RECEIVED, State.ACCEPTED)

    number = models.CharField(max_length=24, unique=True)
    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="referrals")
    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="referrals")
    policy = models.ForeignKey(Policy, null=True, blank=True, on_delete=models.SET_NULL, related_name="referrals")
    state = models.CharField(max_length=9, choices=State.choices, default=State.SENT)
    exercise = models.BooleanField(default=False)
    duress = models.BooleanField(default=False)
    reason = models.CharField(max_length=200)
    contact = models.BinaryField(null=True, blank=True)
    sent_by = models.CharField(max_length=120)
    sent_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    chased_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.CharField(max_length=120, blank=True)
    their_reference = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    outcome_text = models.CharField(max_length=300, blank=True)
    case_version = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["destination", "state", "-sent_at"], name="referral_queue"),
            models.Index(fields=["case"], name="referral_case"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "destination"],
                condition=Q(state__in=["sent", "received", "accepted"]),
                name="referral_open_once",
            )
        ]


class Message(models.Model):
    """What goes out to a webhook, kept until the receiver has acknowledged it (then for a while, as proof).

    `identifier` is the CAP identifier and the webhook-id: a repeat carries the same one, so receivers drop doubles.
    `content` is what was signed and sent, byte for byte; encrypted with the key ring.
    """

    PURPOSE = "proof of what was sent"
    RETENTION_DAYS = 90

    class Kind(models.TextChoices):
        ALERT = "alert", _("Alert")
        UPDATE = "update", _("Update")
        CANCEL = "cancel", _("Cancellation")
        TEST = "test", _("Test")
        HEARTBEAT = "heartbeat", _("Heartbeat")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        FAILED = "failed", _("Given up")

    identifier = models.CharField(max_length=64, unique=True)
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="messages")
    referral = models.ForeignKey(Referral, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    content_type = models.CharField(max_length=40)
    content = models.BinaryField()
    sent = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    path = models.PositiveSmallIntegerField(default=1)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["destination", "next_at"], name="message_due", condition=Q(state__in=["queued", "sending"])
            )
        ]


class Receipt(models.Model):
    """A message that came in from a destination; the same number again is answered and not done twice."""

    RETENTION_DAYS = 90

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="receipts")
    identifier = models.CharField(max_length=128)
    at = models.DateTimeField()
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["destination", "identifier"], name="receipt_once")]


class Handling(models.Model):
    """A line of what happened to a referral, on either side: `by` is a user's name, or one that the other organisation
    gave. Retention: with the referral."""

    PURPOSE = "help by another organisation"
    RETENTION_DAYS = 730

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    step = models.CharField(max_length=12)
    by = models.CharField(max_length=120)
    text = models.CharField(max_length=300, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["at", "id"]
