from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases.models import Case, CaseEvent, Feedback
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.selectors import with_names

NEAR = timedelta(minutes=30)
SIMILAR = timedelta(days=30)


@dataclass(frozen=True)
class CaseFilter:
    """What a list of cases is narrowed to; empty means all. `place` is a path, `text` searches number and title."""

    place: str = ""
    state: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    rule: int | None = None
    mine: bool = False
    overdue: bool = False
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


SORTS = {
    "urgency": ("severity_rank", F("due_at").asc(nulls_last=True), "-id"),
    "newest": ("-opened_at", "-id"),
    "oldest": ("opened_at", "id"),
    "due": (F("due_at").asc(nulls_last=True), "-id"),
    "number": ("-id",),
}


def visible(actor: Actor) -> QuerySet[Case]:
    """Every case that the actor may see; kinds with a right of their own only where the actor has it."""
    rows = limit(Case.objects.all(), actor, "cases.view")
    for kind, permission in guarded().items():
        if not actor.is_system:
            rows = rows.exclude(~subtree(actor.paths(permission)), kind=kind)
    return rows


def guarded() -> dict[str, str]:
    """Kinds of case that take a right of their own to see, with that right."""
    return {kind.code: kind.permission for kind in registry.case_kinds().values() if kind.permission}


def _narrow(rows: QuerySet[Case], actor: Actor, chosen: CaseFilter) -> QuerySet[Case]:
    if chosen.place:
        rows = rows.filter(place__path__startswith=chosen.place)
    for field in ("state", "severity", "kind"):
        if values := getattr(chosen, field):
            rows = rows.filter(**{f"{field}__in": values})
    if chosen.rule:
        rows = rows.filter(rule_version__rule_id=chosen.rule)
    if chosen.mine:
        rows = rows.filter(assignee_id=actor.user_id)
    if chosen.overdue:
        rows = rows.filter(due_at__lt=timezone.now(), state__in=Case.OPEN)
    if chosen.text:
        rows = rows.filter(
            Q(number__icontains=chosen.text) | Q(title__icontains=chosen.text) | Q(title_en__icontains=chosen.text)
        )
    if chosen.since:
        rows = rows.filter(opened_at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(opened_at__lt=chosen.until)
    return rows


def listing(actor: Actor, chosen: CaseFilter, sort: str = "newest") -> QuerySet[Case]:
    """Cases for a list, with what a row shows (place, device, assignee) in the same query; page it by slicing."""
    rows = _narrow(visible(actor), actor, chosen).select_related("place", "device", "assignee")
    return rows.order_by(*SORTS.get(sort, SORTS["newest"]))


def queue(actor: Actor, chosen: CaseFilter = CaseFilter()) -> QuerySet[Case]:
    """The open cases by urgency: what the desk shows on its left."""
    rows = _narrow(visible(actor).filter(state__in=Case.OPEN), actor, chosen)
    return rows.select_related("place", "device", "assignee").order_by(*SORTS["urgency"])


@dataclass(frozen=True)
class QueueCounts:
    """The numbers on the queue's tabs and the rail."""

    mine: int
    open: int
    new: int
    dispatched: int
    overdue: int


def queue_counts(actor: Actor, place: str = "") -> QueueCounts:
    """Counted in one query over the open cases only."""
    rows = _narrow(visible(actor).filter(state__in=Case.OPEN), actor, CaseFilter(place=place))
    counted = rows.aggregate(
        mine=Count("pk", filter=Q(assignee_id=actor.user_id)),
        open=Count("pk"),
        new=Count("pk", filter=Q(state=Case.State.NEW)),
        dispatched=Count("pk", filter=Q(state=Case.State.DISPATCHED)),
        overdue=Count("pk", filter=Q(due_at__lt=timezone.now())),
    )
    return QueueCounts(**counted)


def get(actor: Actor, case_id: int) -> Case:
    """One case with all its page shows beside the timeline; NotFound where the actor may not see it."""
    rows = with_names(visible(actor)).select_related(
        "place__parent__parent", "device", "assignee", "rule_version__rule", "merged_into", "firing", "feedback"
    )
    # Unordered: to sort one row, Django compares every column of the dozen tables.
    case = next(iter(rows.prefetch_related("evidence__media").filter(pk=case_id).order_by()[:1]), None)
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": case_id})
    return case


def by_number(actor: Actor, number: str) -> Case:
    """As `get`, by the number that people say to each other."""
    found = visible(actor).filter(number=number).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": number})
    return get(actor, found)


def timeline(actor: Actor, case: Case, known: datetime | None = None) -> list[CaseEvent]:
    """The case's events in order of time; with `known`, only those committed by then."""
    rows = CaseEvent.objects.filter(case=case, case__in=visible(actor).filter(pk=case.pk))
    return list(rows.filter(known__lte=known) if known else rows)


def state_then(case: Case, events: Iterable[CaseEvent], at: datetime) -> str:
    """The state of a case at `at` by its events known then; empty where nobody knew of it yet."""
    told = [event.kind for event in events if event.at <= at and event.kind in STATE_AFTER]
    if case.opened_at > at or not told:
        return ""
    return str(STATE_AFTER[told[-1]])


def nearby(actor: Actor, case: Case, span: timedelta = NEAR) -> list[Case]:
    """Other cases of the same compound (or the same place, outside one) within half an hour before and after."""
    root = compound_path(case.place)
    rows = visible(actor).filter(
        place__path__startswith=root, opened_at__range=(case.opened_at - span, case.last_at + span)
    )
    return list(with_names(rows.exclude(pk=case.pk)).order_by("-opened_at")[:8])


def compound_path(place: Place) -> str:
    """The path of the compound that the place lies in, or of the place itself outside one."""
    ids = [int(part) for part in place.path.strip("/").split("/")]
    found = Place.objects.filter(pk__in=ids, kind=Place.Kind.COMPOUND).values_list("path", flat=True).first()
    return found or place.path


@dataclass(frozen=True)
class Similar:
    """What became of cases of the same rule and place in the last 30 days."""

    days: int
    total: int
    false_alarms: int
    resolved: int
    latest: tuple[Case, ...]

    @property
    def false_share(self) -> float:
        return self.false_alarms / self.total if self.total else 0.0


def similar(actor: Actor, case: Case) -> Similar:
    """Cases of the same kind at the same place in the 30 days before, and how they ended; two queries."""
    rows = visible(actor).filter(
        kind=case.kind, place_id=case.place_id, opened_at__range=(case.opened_at - SIMILAR, case.opened_at)
    )
    rows = rows.exclude(pk=case.pk)
    counted = rows.aggregate(
        total=Count("pk"),
        false_alarms=Count("pk", filter=Q(state=Case.State.FALSE_ALARM)),
        resolved=Count("pk", filter=Q(state__in=[Case.State.RESOLVED, Case.State.CLOSED])),
    )
    return Similar(days=SIMILAR.days, latest=tuple(rows.order_by("-opened_at")[:5]), **counted)


def assignable_users(case: Case) -> QuerySet[User]:
    """Users with a role now, that may handle cases, at the case's place or above it."""
    handlers = [code for code, role in registry.roles().items() if "cases.handle" in role.permissions]
    ids = [int(part) for part in case.place.path.strip("/").split("/")]
    now = timezone.now()
    current = RoleAssignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now), user=OuterRef("pk"), role__in=handlers, place__in=ids, since__lte=now
    )
    return User.objects.filter(Exists(current), is_active=True).order_by("display_name", "username")


@dataclass(frozen=True)
class CaseThen:
    """A case as it was known at a moment."""

    case: Case
    state: str
    last_event: str


STATE_AFTER: Mapping[str, str] = {
    CaseEvent.Kind.RAISED: Case.State.NEW,
    CaseEvent.Kind.ACKNOWLEDGED: Case.State.ACKNOWLEDGED,
    CaseEvent.Kind.DISPATCHED: Case.State.DISPATCHED,
    CaseEvent.Kind.RESOLVED: Case.State.RESOLVED,
    CaseEvent.Kind.CLOSED: Case.State.CLOSED,
    CaseEvent.Kind.FALSE_ALARM: Case.State.FALSE_ALARM,
    CaseEvent.Kind.MERGED: Case.State.MERGED,
    CaseEvent.Kind.REOPENED: Case.State.ACKNOWLEDGED,
}


def open_then(
    actor: Actor, place: str, at: datetime, known: datetime | None = None, limit_to: int = 200
) -> list[CaseThen]:
    """The cases that were open at `at`, as known at `known` (default: at `at`); two queries.

    A state comes from the last event that changed it, happened by `at` and committed by `known`.
    """
    known = known or at
    changes = CaseEvent.objects.filter(case=OuterRef("pk"), at__lte=at, known__lte=known, kind__in=list(STATE_AFTER))
    rows = _narrow(visible(actor), actor, CaseFilter(place=place)).filter(known_at__lte=known, opened_at__lte=at)
    rows = rows.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at) | Q(state__in=Case.OPEN))
    rows = rows.annotate(last=Subquery(changes.order_by("-at", "-id").values("kind")[:1]))
    found = rows.select_related("place", "device", "assignee").order_by("severity_rank", "-opened_at")[: limit_to * 2]
    then = [CaseThen(case, STATE_AFTER.get(case.last or "", Case.State.NEW), case.last or "") for case in found]
    return [item for item in then if item.state in Case.OPEN][:limit_to]


@dataclass(frozen=True)
class DayFigures:
    """The figures of the overview and the wide screen for a span.

    In time: of the cases that were acknowledged or resolved, or whose limit for it is past; None while there is none.
    """

    total: int
    open_now: int
    overdue: int
    acknowledged_in_time: float | None
    resolved_in_time: float | None
    false_alarm_share: float
    longest_wait_seconds: float


def figures(
    actor: Actor, place: str, since: datetime, until: datetime, counts: QueueCounts | None = None
) -> DayFigures:
    """Counts over the cases opened in [since, until); shares are 0…1; two queries, and one for `counts` of the place
    where the caller has not got them."""
    now = timezone.now()
    rows = _narrow(visible(actor), actor, CaseFilter(place=place))
    counted = rows.filter(opened_at__gte=since, opened_at__lt=until).aggregate(
        total=Count("pk"),
        acknowledged=Count("pk", filter=Q(acknowledged_at__isnull=False) | Q(acknowledge_by__lt=now)),
        in_time=Count("pk", filter=Q(acknowledged_at__lte=F("acknowledge_by"))),
        resolved=Count("pk", filter=Q(resolved_at__isnull=False) | Q(resolve_by__lt=now)),
        soon=Count("pk", filter=Q(resolved_at__lte=F("resolve_by"))),
        false_alarms=Count("pk", filter=Q(state=Case.State.FALSE_ALARM)),
    )
    waiting = list(rows.filter(state=Case.State.NEW).order_by("known_at").values_list("known_at", flat=True)[:1])
    counts = counts or queue_counts(actor, place)
    return DayFigures(
        total=counted["total"],
        open_now=counts.open,
        overdue=counts.overdue,
        acknowledged_in_time=counted["in_time"] / counted["acknowledged"] if counted["acknowledged"] else None,
        resolved_in_time=counted["soon"] / counted["resolved"] if counted["resolved"] else None,
        false_alarm_share=counted["false_alarms"] / counted["total"] if counted["total"] else 0.0,
        longest_wait_seconds=(now - waiting[0]).total_seconds() if waiting else 0.0,
    )


def per_bucket(
    actor: Actor, place: str, since: datetime, until: datetime, bucket: str = "hour"
) -> list[tuple[datetime, str, int]]:
    """How many cases were opened in each hour or day, by severity: (start of the bucket, severity, count)."""
    truncate = TruncHour("opened_at") if bucket == "hour" else TruncDay("opened_at")
    rows = _narrow(visible(actor), actor, CaseFilter(place=place, since=since, until=until))
    return list(
        rows.annotate(bucket=truncate)
        .values_list("bucket", "severity")
        .annotate(count=Count("pk"))
        .order_by("bucket", "severity")
    )


def marks(actor: Actor, place: str, since: datetime, until: datetime, most: int = 500) -> list[Case]:
    """The cases to mark on the time bar, most severe first where there are too many."""
    rows = _narrow(visible(actor), actor, CaseFilter(place=place, since=since, until=until))
    return list(rows.select_related("place").order_by("severity_rank", "-opened_at")[:most])


def verdicts(actor: Actor, rule_id: int) -> dict[str, int]:
    """How operators judged the cases of a rule: verdict → count."""
    rows = Feedback.objects.filter(rule_id=rule_id, case__in=visible(actor))
    return dict(rows.values_list("verdict").annotate(count=Count("pk")))


def open_by_place(actor: Actor, place: str = "") -> dict[int, tuple[int, int]]:
    """For the map: place id → (number of open cases, rank of the most severe; 0 is critical)."""
    rows = _narrow(visible(actor).filter(state__in=Case.OPEN), actor, CaseFilter(place=place))
    result: dict[int, tuple[int, int]] = {}
    for place_id, rank in rows.values_list("place_id", "severity_rank"):
        count, worst = result.get(place_id, (0, 9))
        result[place_id] = (count + 1, min(worst, rank))
    return result


@dataclass(frozen=True)
class Tally:
    """Cases of a rule or a device in a span: `false_alarms` of those that were `judged`, and all of them."""

    id: int
    name: str
    name_en: str
    total: int
    judged: int
    false_alarms: int

    @property
    def share(self) -> float:
        """False alarms among the judged, 0…1."""
        return self.false_alarms / self.judged if self.judged else 0.0


JUDGED = (Case.State.RESOLVED, Case.State.CLOSED, Case.State.FALSE_ALARM)


def _tallies(rows: QuerySet[Case], thing: str) -> list[Tally]:
    counted = rows.order_by().values_list(thing, f"{thing}__name", f"{thing}__name_en")
    return [
        Tally(*values)
        for values in counted.annotate(
            total=Count("pk"),
            judged=Count("pk", filter=Q(state__in=JUDGED)),
            false_alarms=Count("pk", filter=Q(state=Case.State.FALSE_ALARM)),
        )
    ]


def by_rule(actor: Actor, place: str, since: datetime, until: datetime) -> list[Tally]:
    """How the cases of each rule ended, the largest share of false alarms first; one query."""
    rows = _narrow(visible(actor), actor, CaseFilter(place=place, since=since, until=until))
    found = _tallies(rows.filter(rule_version__isnull=False), "rule_version__rule")
    return sorted(found, key=lambda one: (-one.share, -one.false_alarms, one.name, one.id))


def by_device(actor: Actor, place: str, kinds: Iterable[str], since: datetime, until: datetime) -> list[Tally]:
    """Devices of some kinds with the cases that they gave, most cases first; one query."""
    rows = _narrow(visible(actor), actor, CaseFilter(place=place, since=since, until=until))
    found = _tallies(rows.filter(device__kind__in=list(kinds)), "device")
    return sorted(found, key=lambda one: (-one.total, one.name, one.id))


def trend_by_kind(actor: Actor, place: str, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Cases by kind in a span, most first."""
    rows = _narrow(visible(actor), actor, CaseFilter(place=place, since=since, until=until))
    return list(rows.values_list("kind").annotate(count=Count("pk")).order_by("-count", "kind"))
