import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Delegation(models.Model):
    """A person lets another act for them within `scopes`, from a moment until a moment or until withdrawn.

    `basis` says on what it rests: the person's own word, a guardian's document. Acts under it are the delegate's own
    and say so in the audit log.
    """

    PURPOSE = "acting for a family member within what was granted"
    RETENTION_DAYS = 1095

    class Basis(models.TextChoices):
        GRANTED = "granted", _("Granted by the person")
        GUARDIAN = "guardian", _("Guardian")

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="delegated")
    scopes = ArrayField(models.CharField(max_length=32))
    basis = models.CharField(max_length=8, choices=Basis.choices, default=Basis.GRANTED)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "delegate"], condition=Q(withdrawn_at__isnull=True), name="delegation_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(person=F("delegate")), name="delegation_to_another"),
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="delegation_span"),
        ]


class DataRequest(models.Model):
    """What a person asks of those who keep their data. `due_at`: fifteen working days after it was asked.

    `text` and `wanted` (field → new value, for corrections) are encrypted with the person's key.
    """

    PURPOSE = "answering what people ask about their data"
    RETENTION_DAYS = 1095

    class Kind(models.TextChoices):
        CORRECTION = "correction", _("Correction")
        ERASURE = "erasure", _("Erasure")
        OBJECTION = "objection", _("Objection to a look")

    class State(models.TextChoices):
        OPEN = "open", _("To be answered")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Withdrawn")

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="data_requests")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    text = models.BinaryField(null=True, blank=True)
    wanted = models.BinaryField(null=True, blank=True)
    entry = models.BigIntegerField(null=True, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    answer = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["place", "due_at"], name="data_request_open", condition=Q(state="open"))]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "entry"], condition=Q(kind="objection", entry__isnull=False), name="objection_once"
            )
        ]


class Secrecy(models.Model):
    """The law asks that a person does not learn yet that their data was looked at: those lines wait until `until`.

    Names who asked for it (`authority`) and the document; an end is required, and the person reads the lines then.
    """

    PURPOSE = "delaying lines of “who looked at my data” where a law demands it"
    RETENTION_DAYS = 1095

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    authority = models.CharField(max_length=120)
    document = models.CharField(max_length=120)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("since")), name="secrecy_span")]


class LegalHold(models.Model):
    """A case whose data must stay, whoever asks for erasure: on whose word, why, and until when."""

    PURPOSE = "keeping evidence that a law or an authority asks for"
    RETENTION_DAYS = 1095

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="legal_holds")
    authority = models.CharField(max_length=120)
    reason = models.CharField(max_length=200)
    since = models.DateTimeField()
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="legal_hold_span"),
            models.UniqueConstraint(fields=["case"], condition=Q(released_at__isnull=True), name="legal_hold_once"),
        ]


class Export(models.Model):
    """A file with everything held on a person, made in the background and kept a week for fetching."""

    PURPOSE = "giving people a copy of their data"
    RETENTION_DAYS = 7

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="exports")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.BinaryField(max_length=32, null=True, blank=True)
    expires_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-asked_at"]


class Tombstone(models.Model):
    """A person was erased. Holds nothing that names them: a keyed hash of their code, and `tokens`, keyed hashes of
    their identifiers by which a proof recognises what was left behind; those go at `proof_until`.

    `receipt` says what was done where: counts, doors, what a duty keeps, when the last back-up with their data ends.
    """

    RETENTION_DAYS = 365
    PURPOSE = "proving that an erasure was done"

    person = models.BigIntegerField(unique=True)
    code_hash = models.BinaryField(max_length=32, unique=True)
    key_number = models.PositiveIntegerField(default=1)
    tokens = models.JSONField(default=list)
    place = models.BigIntegerField()
    erased_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    receipt = models.JSONField(default=dict)
    proof_until = models.DateTimeField()
    proved_at = models.DateTimeField(null=True, blank=True)
    remaining = models.IntegerField(null=True, blank=True)


class Deposit(models.Model):
    """What a law keeps of an erased person, until the end of day `until`; nothing else is done with it (PIPL 47).

    Names nobody: `person` is the number that an erased person still is. The content lies in the parts, encrypted under
    a key of the deposit's own (`deposits.NUMBER`). `name` and `law` say what is kept and why, as at the erasure.
    """

    PURPOSE = "keeping records of an erased person as long as a law demands"

    person = models.BigIntegerField(db_index=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120)
    law = models.CharField(max_length=250)
    law_zh = models.CharField(max_length=250)
    count = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    until = models.DateField(db_index=True)


class DepositPart(models.Model):
    """A file of a deposit: rows of a table as JSON, or a picture; encrypted."""

    PURPOSE = Deposit.PURPOSE

    deposit = models.ForeignKey(Deposit, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deposit", "number"], name="deposit_part_once")]
