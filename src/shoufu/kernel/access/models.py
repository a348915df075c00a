from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """An account that signs in. Purpose: access control. Retention: while the person has a role, plus one year."""

    PURPOSE = "signing in"
    RETENTION_DAYS = 365

    person = models.OneToOneField(
        "parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="user"
    )
    display_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=8, default="zh-hans", choices=[("zh-hans", "中文"), ("en", "English")])
    theme = models.CharField(
        max_length=8, default="auto", choices=[("auto", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))]
    )
    large_print = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0)

    @property
    def label(self) -> str:
        return self.display_name or self.username

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        # Raising the epoch ends every session of this user at their next request, wherever sessions are kept.
        signed = f"{self.password}:{self.session_epoch}"
        return salted_hmac("shoufu.access.session", signed, secret=secret, algorithm="sha256").hexdigest()


class RoleAssignment(models.Model):
    """A user has a role in a place subtree, from a moment to a moment (half-open)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments")
    role = models.CharField(max_length=32)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="assignments")
    organisation = models.ForeignKey(
        "parties.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="assignments"
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "place"], condition=Q(until__isnull=True), name="role_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="role_span"),
        ]


class ApiToken(models.Model):
    """A token for programs: acts as its user, narrowed to `permissions` when given; `token_hash` is its SHA-256."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8)
    token_hash = models.BinaryField(max_length=32, unique=True)
    permissions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
