from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Rule(models.Model):
    """A rule of a place: its versions hold the rule documents (data, see spec.py); one of them may be live."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="rules")
    template = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["place__path", "code"]


class RuleVersion(models.Model):
    """One rule document. `live` from `live_from` (the moment the log knew it) until `live_until`."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    note = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    from_batch = models.BigIntegerField(null=True, blank=True)
    until_batch = models.BigIntegerField(null=True, blank=True)
    live_from = models.DateTimeField(null=True, blank=True)
    live_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["rule_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_number"),
            models.UniqueConstraint(fields=["rule"], condition=Q(state="live"), name="rule_one_live_version"),
        ]


class Checkpoint(models.Model):
    """The evaluator's keyed state of one shard after a batch: msgpack + zstd, written with its outputs."""

    shard = models.SmallIntegerField()
    sequence = models.BigIntegerField()
    batch = models.BigIntegerField()
    full = models.BooleanField()
    state = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shard", "sequence"], name="checkpoint_sequence")]


class Firing(models.Model):
    """A rule fired: once per (version, key, t), however often the log is read again."""

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="firings")
    key = models.CharField(max_length=160)
    t = models.DateTimeField()
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey("devices.Device", null=True, on_delete=models.SET_NULL, related_name="+")
    observations = models.JSONField(default=list)
    why = models.JSONField(default=list)
    batch = models.BigIntegerField()
    suppressed = models.BooleanField(default=False)
    late = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "key", "t"], name="firing_once")]
        indexes = [models.Index(fields=["t"], name="firing_t")]


class Rehearsal(models.Model):
    """A draft tried on a recorded span: progress while it runs, then what it would have raised."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="rehearsals")
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField(auto_now_add=True)
    seconds = models.FloatField(null=True, blank=True)


class LateObservation(models.Model):
    """A row that came behind its shard's watermark: it is in the log, and changed no rule's state."""

    shard = models.SmallIntegerField()
    t = models.DateTimeField()
    observation = models.UUIDField()
    batch = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shard", "t", "observation"], name="late_observation_once")]


class HistoryDay(models.Model):
    """A closed UTC day of a shard that lies in the archive as Parquet, as it was after `batch`."""

    shard = models.SmallIntegerField()
    day = models.DateField()
    batch = models.BigIntegerField()
    rows = models.BigIntegerField()
    size = models.BigIntegerField()
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shard", "day"], name="history_day_once")]


class Study(models.Model):
    """What the outcomes of a rule's cases say about its numbers: counted again when there are new outcomes.

    `newest` is the moment of the last outcome that was counted, `result` the proposals (see learning/study.py).
    """

    rule = models.OneToOneField(Rule, on_delete=models.CASCADE, related_name="study")
    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    newest = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now=True)
    seconds = models.FloatField(default=0)


class Decision(models.Model):
    """What a person decided about a proposed number: tried as a draft (`version`), or not now, with a reason.

    `newest` is that of the study they saw: a proposal that was put off comes back when there are newer outcomes.
    """

    class Kind(models.TextChoices):
        TRIED = "tried", _("Tried")
        DECLINED = "declined", _("Not now")

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    pointer = models.CharField(max_length=80)
    value = models.FloatField()
    version = models.ForeignKey(RuleVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="decisions")
    newest = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    author = models.CharField(max_length=120)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["rule", "-at"], name="decision_rule_at")]
