from django.db import models


class AuditEntry(models.Model):
    """Who did or looked at what. Inserted in the business transaction; chained afterwards by the sequencer.

    Rows are never changed or deleted (a database trigger refuses both). `xid` is the writing transaction's number:
    the chain follows (xid, id) below the snapshot's xmin, so an entry that commits late is not passed over.
    `personal` holds fields encrypted with the subject's key: erasing the key erases them and keeps the chain whole.
    """

    xid = models.BigIntegerField(db_default=models.expressions.RawSQL("pg_current_xact_id()::text::bigint", ()))
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=120)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    place = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    subject = models.BigIntegerField(null=True, blank=True)
    personal = models.BinaryField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="audit_xid"),
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["subject", "-at"], name="audit_subject", condition=models.Q(subject__isnull=False)),
            models.Index(fields=["place", "-at"], name="audit_place"),
            models.Index(fields=["-at"], name="audit_at"),
        ]


class AuditLink(models.Model):
    """The chain: link `sequence` (from 1, no gaps) holds SHA-256 over the previous link's hash, the sequence and the
    entry's canonical bytes (see `chain.py`). Insert only, as the entries."""

    sequence = models.BigIntegerField(primary_key=True)
    entry = models.BigIntegerField(unique=True)
    hash = models.BinaryField(max_length=32)


class AuditRoot(models.Model):
    """A signed root of the chain up to `sequence` (Ed25519); also exported outside the database. `previous` is the
    SHA-256 of the root before, so a root left out is noticed."""

    sequence = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    made_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.BinaryField(max_length=64)


class SubjectKey(models.Model):
    """The data key of one person (32 bytes), encrypted with the key ring. Erasing it (empty `key`) erases everything it
    encrypted, in the audit log too; the row stays, so that the person gets no second key."""

    subject = models.BigIntegerField(primary_key=True)
    key = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)
