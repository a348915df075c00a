from django.db import models


class ObservationKind(models.Model):
    """A kind of observation and the JSON Schema of its result; synchronised from the registry, or made by a person."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    schema = models.JSONField()
    personal = models.BooleanField(default=False)
    purpose = models.CharField(max_length=200, blank=True)
    retention_days = models.PositiveIntegerField(default=90)
    state = models.CharField(max_length=32, blank=True)
    declared = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]


class Observation(models.Model):
    """A row of the append-only log (table `obs`, a partition a UTC day of `t`; made by the migration's SQL).

    Written only by the edge's COPY; this model is for reading. `t` happened, `known` was committed; `batch` and `ix`
    give the place in the log: the order of batches is `BatchLog.number`. Purpose and retention: those of the kind.
    """

    pk = models.CompositePrimaryKey("id", "t")
    id = models.UUIDField()
    t = models.DateTimeField()
    known = models.DateTimeField()
    batch = models.BigIntegerField()
    ix = models.IntegerField()
    kind = models.ForeignKey(ObservationKind, db_column="kind", on_delete=models.DO_NOTHING, db_constraint=False)
    device = models.ForeignKey("devices.Device", db_column="device", on_delete=models.DO_NOTHING, db_constraint=False)
    place = models.ForeignKey("places.Place", db_column="place", on_delete=models.DO_NOTHING, db_constraint=False)
    shard = models.SmallIntegerField()
    foi = models.TextField(null=True)
    result = models.JSONField()
    flags = models.SmallIntegerField(default=0)

    class Meta:
        managed = False
        db_table = "obs"


class BatchLog(models.Model):
    """The order of the log: `number` is taken under an advisory lock as the last act before the commit of a batch."""

    number = models.BigIntegerField(primary_key=True)
    key = models.BigIntegerField(unique=True)
    known = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        managed = False
        db_table = "batch_log"


class Consumer(models.Model):
    """How far a reader of the log has come: the last batch number that it finished."""

    name = models.CharField(max_length=64, primary_key=True)
    last_batch = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)


class Rejection(models.Model):
    """What the edge refused, counted by device, reason and day; shown on the health page."""

    device_code = models.CharField(max_length=64)
    reason = models.CharField(max_length=32)
    day = models.DateField()
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()
    sample = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device_code", "reason", "day"], name="rejection_once_a_day")]


class HourlyCount(models.Model):
    """Observations by place, kind and hour of phenomenon time; kept for charts and the time bar."""

    place = models.ForeignKey("places.Place", on_delete=models.CASCADE, related_name="+")
    kind = models.ForeignKey(ObservationKind, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "kind", "hour"], name="hourly_count_once")]
        indexes = [models.Index(fields=["hour", "place"], name="hourly_count_hour")]
