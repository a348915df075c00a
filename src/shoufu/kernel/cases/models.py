from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


class Case(models.Model):
    """Something that somebody must deal with, from the first sign to the file.

    `version` grows with every change: an action names the version it was decided on, so of two operators the second
    is told. `opened_at` is phenomenon time, `known_at` when it was committed.
    """

    class State(models.TextChoices):
        NEW = "new", _("New")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        DISPATCHED = "dispatched", _("Dispatched")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")
        FALSE_ALARM = "false_alarm", _("False alarm")
        MERGED = "merged", _("Merged")

    OPEN = (State.NEW, State.ACKNOWLEDGED, State.DISPATCHED)

    number = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=64)
    title = models.CharField(max_length=160)
    title_en = models.CharField(max_length=160, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    severity_rank = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="cases")
    device = models.ForeignKey("devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="cases")
    firing = models.OneToOneField("rules.Firing", null=True, blank=True, on_delete=models.SET_NULL, related_name="case")
    rule_version = models.ForeignKey(
        "rules.RuleVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="cases"
    )
    key = models.CharField(max_length=160, blank=True)
    opened_at = models.DateTimeField()
    known_at = models.DateTimeField()
    last_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)
    acknowledge_by = models.DateTimeField(null=True, blank=True)
    resolve_by = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    escalation = models.PositiveSmallIntegerField(default=0)
    role = models.CharField(max_length=32, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["severity_rank", "due_at"],
                name="case_open_queue",
                condition=Q(state__in=["new", "acknowledged", "dispatched"]),
            ),
            models.Index(fields=["place", "-opened_at"], name="case_place_opened"),
            models.Index(fields=["-opened_at"], name="case_opened"),
            models.Index(fields=["kind", "-opened_at"], name="case_kind_opened"),
            models.Index(fields=["rule_version", "-opened_at"], name="case_rule_opened"),
            models.Index(fields=["assignee", "state"], name="case_assignee"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="merged", merged_into__isnull=False) | ~Q(state="merged"),
                name="case_merged_has_target",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=False) | Q(state__in=["new", "false_alarm", "merged"]),
                name="case_acknowledged_first",
            ),
        ]


class CaseEvent(models.Model):
    """One line of a case's timeline: `at` happened, `known` was committed."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("Raised")
        REPEATED = "repeated", _("Seen again")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        DISPATCHED = "dispatched", _("Dispatched")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")
        FALSE_ALARM = "false_alarm", _("False alarm")
        MERGED = "merged", _("Merged")
        REOPENED = "reopened", _("Reopened")
        ASSIGNED = "assigned", _("Assigned")
        ESCALATED = "escalated", _("Escalated")
        NOTE = "note", _("Note")
        EVIDENCE = "evidence", _("Evidence added")
        NOTICE = "notice", _("Notice")
        REFERRAL = "referral", _("Referral")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    known = models.DateTimeField()
    actor = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]


class Evidence(models.Model):
    """What shows what happened: a snapshot, a clip, an observation; `sha256` fixes what was seen."""

    class Kind(models.TextChoices):
        SNAPSHOT = "snapshot", _("Snapshot")
        CLIP = "clip", _("Clip")
        OBSERVATION = "observation", _("Observation")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    media = models.ForeignKey(
        "media.MediaObject", null=True, blank=True, on_delete=models.PROTECT, related_name="evidence"
    )
    observation = models.UUIDField(null=True, blank=True)
    t = models.DateTimeField()
    sha256 = models.BinaryField(max_length=32)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["t", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "media"], condition=Q(media__isnull=False), name="evidence_media_once"
            ),
            models.UniqueConstraint(
                fields=["case", "observation"], condition=Q(kind="observation"), name="evidence_observation_once"
            ),
        ]


class PendingEvidence(models.Model):
    """A picture that an observation of the case names and that has not arrived yet."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="pending")
    media = models.UUIDField()
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "media"], name="pending_evidence_once")]


class Feedback(models.Model):
    """What an operator said about the rule that raised a case."""

    class Verdict(models.TextChoices):
        USEFUL = "useful", _("Useful")
        FALSE_ALARM = "false_alarm", _("False alarm")
        TOO_LATE = "too_late", _("Too late")
        TOO_OFTEN = "too_often", _("Too often")

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="feedback")
    rule = models.ForeignKey("rules.Rule", null=True, on_delete=models.SET_NULL, related_name="feedback")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    text = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class DayNumber(models.Model):
    """The last case number given on a day."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)
