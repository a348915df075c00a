from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    CONSOLE = "console", _("Console")
    WEB_PUSH = "web_push", _("Web push")
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")
    SMS = "sms", _("SMS")


class Template(models.Model):
    """The words of a notice in one language; `{name}` placeholders are filled from the notice's data."""

    code = models.CharField(max_length=64)
    language = models.CharField(max_length=8, choices=[("zh-hans", "中文"), ("en", "English")])
    subject = models.CharField(max_length=160)
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "language"], name="notice_template_once")]


class Endpoint(models.Model):
    """Where a recipient wants a channel's notices: an e-mail address, phone, web push subscription or webhook address.

    Purpose: delivering notices. Retention: until removed by its owner. `secret` is encrypted.
    """

    PURPOSE = "delivering notices"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="endpoints"
    )
    organisation = models.ForeignKey(
        "parties.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="endpoints"
    )
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.JSONField()
    secret = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) | models.Q(organisation__isnull=False),
                name="endpoint_has_owner",
            )
        ]


class Notice(models.Model):
    """One message to one recipient by one channel, and how far it came. Retention: one year."""

    RETENTION_DAYS = 365

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        DELIVERED = "delivered", _("Delivered")
        READ = "read", _("Read")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True)
    template = models.CharField(max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    endpoint = models.ForeignKey(Endpoint, null=True, blank=True, on_delete=models.SET_NULL, related_name="notices")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    place = models.ForeignKey("places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.CharField(max_length=160)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    once = models.CharField(max_length=160, unique=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notice_inbox"),
            models.Index(fields=["next_at"], name="notice_due", condition=models.Q(state="queued")),
        ]
