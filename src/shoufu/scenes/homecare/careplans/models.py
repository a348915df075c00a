from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CarePlan(models.Model):
    """What is to be reached for a patient with a chronic disease, and how. Purpose: care of chronic disease. Retention:
    15 years after it ended (医疗机构病历管理规定 §29), or until the person is erased.

    It follows one version of a guideline. `version` grows with every change: an edit names the version it was made
    from, so of two editors the second is told. `note` and `end_reason` are encrypted with the person's key. `control`
    is how its goals are met, worked out at each reading; `next_day` when a nurse asks again, by the days of the place;
    `missed` how many periods in a row a task of the patient's was not done (the worst of them).
    """

    PURPOSE = "care of chronic disease"
    RETENTION_DAYS = 5479

    class Condition(models.TextChoices):
        HYPERTENSION = "hypertension", _("Hypertension")
        DIABETES = "diabetes", _("Type 2 diabetes")

    class State(models.TextChoices):
        ACTIVE = "active", _("In force")
        ENDED = "ended", _("Ended")

    class Control(models.TextChoices):
        IN = "in", _("On target")
        OUT = "out", _("Out of target")

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="care_plans")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_plans")
    condition = models.CharField(max_length=16, choices=Condition.choices)
    guideline = models.CharField(max_length=48)
    guideline_version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.ACTIVE)
    author = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="care_plans"
    )
    since = models.DateField()
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=12, blank=True)
    end_reason = models.BinaryField(null=True, blank=True)
    note = models.BinaryField(null=True, blank=True)
    control = models.CharField(max_length=3, choices=Control.choices, blank=True)
    last_reading_at = models.DateTimeField(null=True, blank=True)
    next_day = models.DateField(null=True, blank=True)
    missed = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["state", "next_day"], name="homecare_plan_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "condition"], condition=Q(state="active"), name="homecare_one_active_plan"
            ),
            models.CheckConstraint(
                condition=Q(state="active", ended_at__isnull=True) | Q(state="ended", ended_at__isnull=False),
                name="homecare_plan_end_is_whole",
            ),
        ]

    @property
    def icd10(self) -> str:
        return "E11" if self.condition == self.Condition.DIABETES else "I10"


class Goal(models.Model):
    """Where a quantity should be. Purpose and retention: as CarePlan. At least `low`, at most `high` (below it where
    `strict`), in the quantity's unit (engines/chronic); `context` as there. Ended goals stay, for the trail."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="goals")
    quantity = models.CharField(max_length=16)
    context = models.CharField(max_length=12, blank=True)
    low = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    high = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    strict = models.BooleanField(default=False)
    clause = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "quantity", "context"], condition=Q(ended_at__isnull=True), name="homecare_goal_once"
            ),
            models.CheckConstraint(
                condition=(Q(low__isnull=False) | Q(high__isnull=False))
                & (Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lt=F("high"))),
                name="homecare_goal_bounds",
            ),
        ]


class Task(models.Model):
    """Something to be done again and again: `frequency` times in every `period` of `unit`, from `since` on. Purpose and
    retention: as CarePlan. A reading of `kind` does it; where that is empty somebody says that it is done."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    class Unit(models.TextChoices):
        DAY = "d", _("day")
        WEEK = "wk", _("week")
        MONTH = "mo", _("month")

    class Performer(models.TextChoices):
        PATIENT = "patient", _("Patient or family")
        NURSE = "nurse", _("Nurse")

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="tasks")
    code = models.CharField(max_length=32)
    text = models.CharField(max_length=120)
    text_en = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, blank=True)
    frequency = models.PositiveSmallIntegerField(default=1)
    period = models.PositiveSmallIntegerField(default=1)
    unit = models.CharField(max_length=2, choices=Unit.choices, default=Unit.DAY)
    performer = models.CharField(max_length=7, choices=Performer.choices, default=Performer.PATIENT)
    since = models.DateField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "code"], condition=Q(ended_at__isnull=True), name="homecare_task_once"
            ),
            models.CheckConstraint(condition=Q(frequency__gte=1, period__gte=1), name="homecare_task_recurs"),
        ]


class Done(models.Model):
    """A task was done on a day, by who says so. Purpose and retention: as CarePlan. The id is the client's own, so that
    the same one sent twice is kept once."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    id = models.UUIDField(primary_key=True)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="done")
    day = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-day", "-at"]
        indexes = [models.Index(fields=["task", "-day"], name="homecare_task_done")]


class Revision(models.Model):
    """A plan as it was from a change on: goals, tasks, guideline (a JSON document) and the note, encrypted with the
    person's key. Purpose and retention: as CarePlan."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    author = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    document = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="homecare_revision_once")]


class Reading(models.Model):
    """A measurement of a patient. Purpose: care of chronic disease. Retention: 15 years after it was measured.

    The id is given by who measured (a phone, a device), so that the same one sent twice is kept once. `values` (by
    quantity, in the units of engines/chronic) are encrypted with the person's key. `day` is the day at the patient's
    place. A wrong one is marked (`void_at`), never changed.
    """

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    class Source(models.TextChoices):
        PATIENT = "patient", _("Patient")
        FAMILY = "family", _("Family")
        NURSE = "nurse", _("Care staff")
        DEVICE = "device", _("Device")

    id = models.UUIDField(primary_key=True)
    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="readings")
    kind = models.CharField(max_length=16)
    context = models.CharField(max_length=12, blank=True)
    at = models.DateTimeField()
    day = models.DateField()
    known_at = models.DateTimeField()
    values = models.BinaryField()
    source = models.CharField(max_length=7, choices=Source.choices)
    device = models.ForeignKey(
        "devices.Device", null=True, blank=True, on_delete=models.SET_NULL, related_name="homecare_readings"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    void_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["patient", "kind", "-at"], name="homecare_reading_kind"),
            models.Index(fields=["-at"], name="homecare_reading_at"),
        ]


class HomeDevice(models.Model):
    """A device of the kernel that measures one patient, from when until when. Purpose and retention: as Reading."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="homecare_bindings")
    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="home_devices")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["patient", "-since"]
        constraints = [
            models.UniqueConstraint(fields=["device"], condition=Q(until__isnull=True), name="homecare_device_once"),
        ]


class Finding(models.Model):
    """What readings showed that somebody must look at. Purpose and retention: as CarePlan.

    `rule` is a code of the plan's guideline. `told` (quantity, value, bound, side, and the readings' ids) and `answer`
    are encrypted with the person's key. One is open for a rule and a patient; further readings are added to it.
    """

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("finding", "Open")
        TAKEN = "taken", _("Being dealt with")
        CLOSED = "closed", _("Dealt with")

    RUNNING = (State.OPEN, State.TAKEN)

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="findings")
    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=32)
    severity = models.CharField(max_length=8)
    severity_rank = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField()
    last_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)
    told = models.BinaryField(null=True, blank=True)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    answer = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["severity_rank", "-found_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "rule"], condition=Q(state__in=["open", "taken"]), name="homecare_finding_once"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at__isnull=True),
                name="homecare_finding_closed",
            ),
        ]


class FollowUp(models.Model):
    """A practitioner asked how it goes. Purpose and retention: as CarePlan. `document` (what was found, what was done)
    is encrypted with the person's key; `control` is how the goals stood, `next_day` when somebody asks again."""

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    class Way(models.TextChoices):
        HOME = "home", _("At home")
        PHONE = "phone", _("By phone")
        CLINIC = "clinic", _("At the clinic")

    class Adherence(models.TextChoices):
        REGULAR = "regular", _("Takes them regularly")
        SOMETIMES = "sometimes", _("Leaves some out")
        NONE = "none", _("Does not take them")
        NO_MEDICINE = "no_medicine", _("Has no medicine")

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="follow_ups")
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()
    way = models.CharField(max_length=6, choices=Way.choices)
    adherence = models.CharField(max_length=11, choices=Adherence.choices)
    control = models.CharField(max_length=3, choices=CarePlan.Control.choices, blank=True)
    document = models.BinaryField(null=True, blank=True)
    next_day = models.DateField()

    class Meta:
        ordering = ["-at", "-pk"]


class Handover(models.Model):
    """A patient handed over to a doctor of the institution. Purpose and retention: as CarePlan.

    `document` is the letter as it was sent (why, and the summary of goals, trends, findings and follow-ups); it and
    `answer` are encrypted with the person's key. `to` is empty where any doctor of the institution may take it.
    """

    PURPOSE = CarePlan.PURPOSE
    RETENTION_DAYS = CarePlan.RETENTION_DAYS

    class State(models.TextChoices):
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted")
        ANSWERED = "answered", _("Answered")
        REFUSED = "refused", _("Sent back")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OPEN = (State.SENT, State.ACCEPTED)

    plan = models.ForeignKey(CarePlan, on_delete=models.CASCADE, related_name="handovers")
    state = models.CharField(max_length=9, choices=State.choices, default=State.SENT)
    urgent = models.BooleanField(default=False)
    sender = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    to = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    doctor = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    document = models.BinaryField(null=True, blank=True)
    answer = models.BinaryField(null=True, blank=True)
    sent_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-sent_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan"], condition=Q(state__in=["sent", "accepted"]), name="homecare_handover_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "accepted"], ended_at__isnull=True)
                | Q(state__in=["answered", "refused", "withdrawn"], ended_at__isnull=False),
                name="homecare_handover_end_is_whole",
            ),
        ]
