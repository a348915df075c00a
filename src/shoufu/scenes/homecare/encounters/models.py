from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

PURPOSE = "care at home"
RETENTION_DAYS = 5479
SAFETY = "safety of who gives care at homes"
SAFETY_DAYS = 1095


class Rules(models.Model):
    """How an institution wants its visits done. `radius` (metres) is how far from the home one may check in without a
    reason; after `grace` (minutes) a missed check-in or check-out is somebody's duty. `alarm_number` gets the text
    message of a nurse without a network. `trace`: the way of who is in a home may be recorded, after they were told."""

    institution = models.OneToOneField(
        "homecare_register.Institution", on_delete=models.CASCADE, related_name="encounter_rules"
    )
    radius = models.PositiveIntegerField(default=200)
    grace = models.PositiveSmallIntegerField(default=30)
    alarm_number = models.CharField(max_length=20, blank=True)
    trace = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(radius__gte=20, radius__lte=5000, grace__gte=5, grace__lte=240),
                name="homecare_encounter_rules",
            )
        ]


class Handed(models.Model):
    """That a visit was given to somebody's phone: until when they could know of it, and what lets their phone send in
    what was written there, also when the visit is another person's by then. Purpose and retention: with the visit."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    visit = models.ForeignKey("homecare_visits.Visit", on_delete=models.CASCADE, related_name="handed")
    practitioner = models.ForeignKey("homecare_register.Practitioner", on_delete=models.CASCADE, related_name="handed")
    device = models.UUIDField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "practitioner", "device"], name="homecare_handed_once")]


class Phone(models.Model):
    """A phone that was set up, and by what it proves itself where nobody is signed in any more: `token` is the SHA-256
    of 256 random bits. It reads nothing: it calls for help, hears whether its owner still gives care, and hands in what
    was not sent yet when the account was closed. Purpose: with the visit. Retention: 90 days after it was last used."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = 90

    device = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.BinaryField(max_length=32)
    since = models.DateTimeField()
    used_at = models.DateTimeField()


class Encounter(models.Model):
    """One person's work at one visit (FHIR Encounter). Purpose: care at home. Retention: 15 years after it ended
    (医疗机构病历管理规定 §29), or until the patient is erased.

    What was found and done stands in its entries. Times are those of the phone, put right by its clock's error;
    `…_known` is when they were received. Positions are WGS-84, accuracy and distance from the home in metres.
    `contested`: somebody must look before it counts: the visit was cancelled or another person's when it was done, or
    something about it is doubtful; see its operations.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        OPEN = "in-progress", _("Being carried out")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Did not take place")

    visit = models.ForeignKey("homecare_visits.Visit", on_delete=models.CASCADE, related_name="encounters")
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", on_delete=models.PROTECT, related_name="encounters"
    )
    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="encounters")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_encounters")
    state = models.CharField(max_length=11, choices=State.choices, default=State.OPEN)
    checklist = models.CharField(max_length=32)
    opened_at = models.DateTimeField()
    in_at = models.DateTimeField(null=True, blank=True)
    in_known = models.DateTimeField(null=True, blank=True)
    in_longitude = models.FloatField(null=True, blank=True)
    in_latitude = models.FloatField(null=True, blank=True)
    in_accuracy = models.FloatField(null=True, blank=True)
    in_distance = models.FloatField(null=True, blank=True)
    in_reason = models.CharField(max_length=200, blank=True)
    out_at = models.DateTimeField(null=True, blank=True)
    out_known = models.DateTimeField(null=True, blank=True)
    out_longitude = models.FloatField(null=True, blank=True)
    out_latitude = models.FloatField(null=True, blank=True)
    out_accuracy = models.FloatField(null=True, blank=True)
    out_distance = models.FloatField(null=True, blank=True)
    out_reason = models.CharField(max_length=200, blank=True)
    end_cause = models.CharField(max_length=16, blank=True)
    clock_error = models.FloatField(default=0)
    contested = models.BooleanField(default=False)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        indexes = [
            models.Index(fields=["patient", "-opened_at"], name="homecare_encounter_of_patient"),
            models.Index(fields=["practitioner", "-opened_at"], name="homecare_encounter_by"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["visit", "practitioner"], name="homecare_encounter_once"),
            models.CheckConstraint(
                condition=~Q(state="finished") | Q(out_at__gte=F("in_at")), name="homecare_encounter_times"
            ),
        ]

    @property
    def number(self) -> str:
        return f"E-{self.pk:06d}"


class Operation(models.Model):
    """A line that a phone sent, and what became of it. Purpose and retention: with the visit.

    The id is the phone's (UUIDv7): the same one is carried out once. `sequence` counts the lines of a visit on one
    phone from 1; one that comes too early is held until those before it are there. What is held, refused or in conflict
    keeps its `content`, encrypted with the patient's key; what was applied has it in an entry. `digest` is SHA-256
    over the line, `problem` says why not (RFC 9457), without health data.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class Result(models.TextChoices):
        HELD = "held", _("Waits for earlier lines")
        APPLIED = "applied", pgettext_lazy("line of a phone", "Kept")
        CONFLICT = "conflict", _("In conflict")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True)
    visit = models.ForeignKey("homecare_visits.Visit", on_delete=models.CASCADE, related_name="operations")
    encounter = models.ForeignKey(Encounter, null=True, blank=True, on_delete=models.CASCADE, related_name="operations")
    practitioner = models.ForeignKey("homecare_register.Practitioner", on_delete=models.PROTECT, related_name="+")
    device = models.UUIDField()
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    at = models.DateTimeField()
    known_at = models.DateTimeField()
    result = models.CharField(max_length=8, choices=Result.choices)
    digest = models.BinaryField(max_length=32)
    content = models.BinaryField(null=True, blank=True)
    problem = models.JSONField(default=dict, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    settled_note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["visit", "device", "sequence"]
        indexes = [
            models.Index(
                fields=["-known_at"],
                name="homecare_operation_open",
                condition=Q(result__in=["held", "conflict", "refused"], settled_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["visit", "device", "sequence"], name="homecare_operation_in_order"),
            models.CheckConstraint(
                condition=Q(result="applied") | Q(content__isnull=False), name="homecare_operation_keeps_content"
            ),
        ]


class Entry(models.Model):
    """Something that was written in an encounter; never changed: a later number of the kind takes its place, and what
    is wrong after the check-out is put right by an addendum. Purpose and retention: as Encounter. `content` (documents
    of `documents.py`) is encrypted with the patient's key."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class Kind(models.TextChoices):
        IDENTITY = "identity", _("Identity check")
        CONSENT = "consent", _("Consent")
        CHECKLIST = "checklist", _("Checklist")
        RECORD = "record", _("Record")
        VITALS = "vitals", _("Vital signs")
        CONSUMABLES = "consumables", _("Consumables")
        SIGNATURE = "signature", _("Signature")
        ADDENDUM = "addendum", _("Addendum")
        MISSED = "missed", _("Why it did not take place")

    encounter = models.ForeignKey(Encounter, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    known_at = models.DateTimeField()
    author = models.ForeignKey("homecare_register.Practitioner", on_delete=models.PROTECT, related_name="+")
    operation = models.OneToOneField(Operation, null=True, blank=True, on_delete=models.SET_NULL, related_name="entry")
    content = models.BinaryField()

    class Meta:
        ordering = ["encounter", "at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["encounter", "kind", "number"], name="homecare_entry_number_once")
        ]


class Photo(models.Model):
    """A picture that was taken at a visit. Purpose and retention: as Encounter. The id, the size in bytes and pixels
    and `sha256` (of the picture) are declared first; the bytes come after, encrypted with the patient's key, under
    `key` of the media store. `detail` (what it shows, the ruler, the outline, the measured size) is encrypted too."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    id = models.UUIDField(primary_key=True)
    encounter = models.ForeignKey(Encounter, on_delete=models.CASCADE, related_name="photos")
    operation = models.OneToOneField(Operation, null=True, blank=True, on_delete=models.SET_NULL, related_name="photo")
    content_type = models.CharField(max_length=16)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    detail = models.BinaryField()
    at = models.DateTimeField()
    key = models.CharField(max_length=120, null=True, blank=True, unique=True)
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["encounter", "at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(key__isnull=True, kept_at__isnull=True) | Q(key__isnull=False, kept_at__isnull=False),
                name="homecare_photo_is_whole",
            )
        ]


class Piece(models.Model):
    """A part of a picture that is still coming, encrypted with the patient's key; goes when the picture is whole.
    Purpose and retention: as Encounter."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="pieces")
    offset = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["photo", "offset"]
        constraints = [models.UniqueConstraint(fields=["photo", "offset"], name="homecare_piece_once")]


class Trace(models.Model):
    """The way of who gives care between check-in and check-out, where the institution wants it and they were told:
    points (time, longitude, latitude, accuracy), encrypted with *their* key. Purpose: safety of who gives care at
    homes. Retention: three years, or until they are erased."""

    PURPOSE = SAFETY
    RETENTION_DAYS = SAFETY_DAYS

    encounter = models.ForeignKey(Encounter, on_delete=models.CASCADE, related_name="traces")
    practitioner = models.ForeignKey("homecare_register.Practitioner", on_delete=models.CASCADE, related_name="traces")
    operation = models.OneToOneField(Operation, null=True, blank=True, on_delete=models.SET_NULL, related_name="trace")
    since = models.DateTimeField()
    until = models.DateTimeField()
    points = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["encounter", "since"]


class Sos(models.Model):
    """Who gives care at homes called for help. Purpose: their safety. Retention: three years, or until they are erased.

    The id is the phone's: pressed once, one case. The position is the last that their phone knew (WGS-84, metres)."""

    PURPOSE = SAFETY
    RETENTION_DAYS = SAFETY_DAYS

    id = models.UUIDField(primary_key=True)
    practitioner = models.ForeignKey("homecare_register.Practitioner", on_delete=models.CASCADE, related_name="sos")
    visit = models.ForeignKey(
        "homecare_visits.Visit", null=True, blank=True, on_delete=models.SET_NULL, related_name="sos"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="sos")
    pressed_at = models.DateTimeField()
    known_at = models.DateTimeField()
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    accuracy = models.FloatField(null=True, blank=True)
    position_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pressed_at"]
        indexes = [models.Index(fields=["case"], name="homecare_sos_case")]
        constraints = [
            models.CheckConstraint(
                condition=Q(longitude__isnull=True, latitude__isnull=True)
                | Q(longitude__range=(-180, 180), latitude__range=(-90, 90)),
                name="homecare_sos_position",
            )
        ]


class Overdue(models.Model):
    """Somebody did not check in or out in time, and somebody has the duty to call them. Purpose: safety of who gives
    care at homes. Retention: three years, or until they are erased."""

    PURPOSE = SAFETY
    RETENTION_DAYS = SAFETY_DAYS

    class What(models.TextChoices):
        IN = "in", _("No check-in")
        OUT = "out", _("No check-out")

    visit = models.ForeignKey("homecare_visits.Visit", on_delete=models.CASCADE, related_name="overdue")
    practitioner = models.ForeignKey("homecare_register.Practitioner", on_delete=models.CASCADE, related_name="overdue")
    what = models.CharField(max_length=3, choices=What.choices)
    due_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="overdue")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [models.UniqueConstraint(fields=["visit", "practitioner", "what"], name="homecare_overdue_once")]
