from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Import(models.Model):
    """A file sent to fill a register, from the upload to the undo.

    Purpose: filling the register, and taking it back. `content` (the file) is kept encrypted until it is applied or
    dropped, at most a day; `undo` (what was written, and what changed rows were before) encrypted for 30 days, after
    which the import can no longer be undone.
    """

    PURPOSE = "filling the register from a file, with a way back"
    RETENTION_DAYS = 30
    DRAFT_DAYS = 1

    class State(models.TextChoices):
        DRAFT = "draft", _("To be checked")
        APPLIED = "applied", _("Imported")
        UNDONE = "undone", _("Undone")
        DROPPED = "dropped", _("Dropped")

    kind = models.CharField(max_length=32)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField()
    content = models.BinaryField(null=True, blank=True)
    mapping = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_label = models.CharField(max_length=120)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    undo = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
