from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Policy(models.Model):
    """How an institution plans its days. Times are minutes of the day by the clock of its place.

    A visit may begin up to `window_minutes` after the promised time. A rest of `break_minutes` begins within
    [break_earliest, break_latest]; 0 minutes: none is planned. A visit that has not begun `grace_minutes` after the
    last promised moment is told to the coordinators.
    """

    institution = models.OneToOneField(
        "homecare_register.Institution", on_delete=models.CASCADE, related_name="planning_policy"
    )
    window_minutes = models.PositiveSmallIntegerField(default=30)
    break_earliest = models.PositiveSmallIntegerField(default=690)
    break_latest = models.PositiveSmallIntegerField(default=780)
    break_minutes = models.PositiveSmallIntegerField(default=30)
    grace_minutes = models.PositiveSmallIntegerField(default=5)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(window_minutes__lte=240, break_minutes__lte=180, break_latest__lt=1440)
                & Q(grace_minutes__lte=120)
                & Q(break_earliest__lte=F("break_latest")),
                name="homecare_planning_policy",
            )
        ]


class DayPlan(models.Model):
    """The plan of an institution's day; who comes when stands in the visits' stops.

    `order` are ids of visits, none of which waits for a later one: with the stops it is the whole plan. `number` rises
    with each change, so that two coordinators do not undo each other's work unseen. `starts` are minutes of the day by
    ids of visits whose time a coordinator chose: they begin no earlier, as long as their people are pinned.
    """

    institution = models.ForeignKey("homecare_register.Institution", on_delete=models.CASCADE, related_name="day_plans")
    day = models.DateField()
    number = models.PositiveIntegerField(default=0)
    order = models.JSONField(default=list)
    starts = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["institution", "-day"]
        constraints = [models.UniqueConstraint(fields=["institution", "day"], name="homecare_plan_once_a_day")]


class PlanEvent(models.Model):
    """What changed a day's plan: booked, cancelled, dragged, planned anew, somebody late or ill. `moved` are ids of
    visits that got another person or time; `data` holds ids, codes and figures only. Purpose: tracing why somebody else
    came. Retention: two years."""

    PURPOSE = "tracing why somebody else came, or at another time"
    RETENTION_DAYS = 730

    plan = models.ForeignKey(DayPlan, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)
    moved = models.JSONField(default=list)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["plan", "-number", "-pk"]


class Proposal(models.Model):
    """A plan that was computed and is looked at before it is taken: the day anew, or mended after somebody is late or
    ill. Purpose: showing what would change before it does. Retention: 30 days.

    It starts from plan `number` and can be taken while that is the newest. `about` holds ids, codes and times of what
    happened; `crews` maps ids of visits to those of their people, in `order`; `shown` are the figures before and after
    and what would move. `progress` is in per cent.
    """

    PURPOSE = "showing what would change in a day before it does"
    RETENTION_DAYS = 30

    class Kind(models.TextChoices):
        ANEW = "anew", _("The day planned anew")
        MENDED = "mended", _("Open visits fitted in")
        LATE = "late", _("Somebody is late")
        ILL = "ill", _("Somebody is ill")

    class State(models.TextChoices):
        RUNNING = "running", _("Being computed")
        READY = "ready", _("Ready to take")
        TAKEN = "taken", _("Has been taken")
        DROPPED = "dropped", _("Not taken")
        FAILED = "failed", _("The search failed")

    institution = models.ForeignKey("homecare_register.Institution", on_delete=models.CASCADE, related_name="proposals")
    day = models.DateField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    seconds = models.FloatField()
    progress = models.PositiveSmallIntegerField(default=0)
    about = models.JSONField(default=dict)
    crews = models.JSONField(default=dict)
    order = models.JSONField(default=list)
    shown = models.JSONField(default=dict)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["institution", "day", "-made_at"], name="homecare_proposal_of_day")]
