from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import Moment, Scope
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case, CaseEvent, Severity
from shoufu.kernel.cases.pages import role_label, title_of
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.devices.models import Change, Device
from shoufu.kernel.observations import selectors as observations
from shoufu.kernel.observations.models import HourlyCount
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.web.templatetags.shell import label, where

COARSE = (Place.Kind.DISTRICT, Place.Kind.BLOCK, Place.Kind.COMPOUND)
DETAIL = 3000
CHUNK = timedelta(minutes=30)
HOUR = timedelta(hours=1)
FINE_SPAN = timedelta(hours=26)
FINE_ROWS = 150_000
WAITING = 25
MOST_WAITING = 500


@dataclass(frozen=True)
class QueueRow:
    """A line of the queue, ready to be written: what, where, since when and whose turn it is.

    `share` is the ring's part of the time left (1 is all, 0 is none), `total` the seconds that its clock had at first.
    """

    id: int
    severity: str
    severity_word: str
    state_word: str
    title: str
    where: str
    opened_at: datetime
    due_at: datetime | None
    share: float
    total: float
    turn: str


@dataclass(frozen=True)
class Queue:
    """Some rows of a tab from `start` on; `more` is where the next ones begin, None at the end."""

    rows: list[QueueRow]
    more: int | None


class _Words:
    """The words of a queue in the reader's language, looked up once and not for each row."""

    def __init__(self, actor: Actor) -> None:
        self._severities = {code: str(word) for code, word in Severity.choices}
        self._states = {code: str(word) for code, word in Case.State.choices}
        self._roles: dict[str, str] = {}
        self._me, self._actor = _("Me"), actor.user_id

    def row(self, case: Case, now: datetime, state: str) -> QueueRow:
        total = (case.due_at - case.known_at).total_seconds() if case.due_at else 0.0
        left = (case.due_at - now).total_seconds() if case.due_at else 0.0
        device = f" · {label(case.device)}" if case.device else ""
        return QueueRow(
            id=case.pk,
            severity=case.severity,
            severity_word=self._severities.get(case.severity, case.severity),
            state_word=self._states.get(state, state),
            title=title_of(case),
            where=where(case.place) + device,
            opened_at=case.opened_at,
            due_at=case.due_at,
            share=max(0.0, min(1.0, left / total)) if total > 0 else 0.0,
            total=total,
            turn=self._turn(case),
        )

    def _turn(self, case: Case) -> str:
        if case.assignee_id is None or case.assignee is None:
            if case.role not in self._roles:
                self._roles[case.role] = role_label(case.role)
            return self._roles[case.role]
        return self._me if case.assignee_id == self._actor else case.assignee.label


def queue(actor: Actor, scope: Scope, moment: Moment, tab: str, start: int = 0) -> Queue:
    """Rows of one tab: "mine", "open", "dispatched" or "today"; in the past, what was open as known then."""
    found, now = _cases(actor, scope, moment, tab, start)
    words = _Words(actor)
    rows = [words.row(case, now, state) for case, state in found[:WAITING]]
    more = start + WAITING if len(found) > WAITING and start + WAITING < MOST_WAITING else None
    return Queue(rows, more)


def _cases(actor: Actor, scope: Scope, moment: Moment, tab: str, start: int) -> tuple[list[tuple[Case, str]], datetime]:
    """Cases with the state to show, one more than a page has, and the moment that they are shown at."""
    stop = start + WAITING + 1
    if moment.at is not None:
        then = cases.open_then(actor, scope.path, moment.at, moment.known)
        return [(item.case, item.state) for item in then[start:stop]], moment.at
    if tab == "today":
        since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        rows = cases.listing(actor, cases.CaseFilter(place=scope.path, since=since), "newest")
    else:
        state = (Case.State.DISPATCHED,) if tab == "dispatched" else ()
        rows = cases.queue(actor, cases.CaseFilter(place=scope.path, mine=tab == "mine", state=state))
    shown = places.with_names(rows.select_related("device", "assignee"))[start:stop]
    return [(case, case.state) for case in shown], timezone.now()


def map_data(actor: Actor, scope: Scope) -> dict[str, Any]:
    """What the map draws: places (GeoJSON, WGS-84), devices with their state, open cases.

    A scope with too many places shows districts, blocks and compounds only; its devices stay out.
    """
    wide = places.subtree(actor, scope.place).count() > DETAIL
    shown = places.geojson(actor, scope.place, kinds=COARSE if wide else ())
    return {
        "wide": wide,
        "scope": scope.id,
        "places": shown,
        "devices": [] if wide else _devices(actor, scope.path),
        "cases": [_mark(case) for case in cases.queue(actor, cases.CaseFilter(place=scope.path))[:300]],
    }


def _mark(case: Case) -> dict[str, Any]:
    at_device = case.device is not None and case.device.longitude is not None
    spot = case.device if at_device and case.device is not None else case.place
    return {
        "id": case.pk,
        "number": case.number,
        "title": case.title,
        "title_en": case.title_en,
        "severity": case.severity,
        "place": case.place_id,
        "path": case.place.path,
        "longitude": spot.longitude,
        "latitude": spot.latitude,
        "opened_at": case.opened_at.isoformat(),
    }


def _devices(actor: Actor, path: str) -> list[dict[str, Any]]:
    rows = devices.visible(actor).filter(place__path__startswith=path)
    found = [row for row in rows if row.longitude is not None or row.place.longitude is not None]
    states = _states([row.pk for row in found], timezone.now())
    return [_device(row, states.get(row.pk, {})) for row in found]


def _device(row: Device, state: dict[str, Any]) -> dict[str, Any]:
    config = row.config if isinstance(row.config, dict) else {}
    return {
        "id": row.pk,
        "code": row.code,
        "kind": row.kind,
        "name": row.name,
        "name_en": row.name_en,
        "longitude": row.longitude if row.longitude is not None else row.place.longitude,
        "latitude": row.latitude if row.latitude is not None else row.place.latitude,
        "heading": row.heading,
        "view": config.get("view_degrees", 56),
        "reach": config.get("view_metres", 16),
        "place": row.place_id,
        "status": row.status,
        "state": state,
    }


def _states(ids: Iterable[int], at: datetime, known: datetime | None = None) -> dict[int, dict[str, Any]]:
    """Each device's properties at a moment, as known at `known` (default: at that moment); one query."""
    rows = Change.objects.filter(device__in=list(ids), valid__lte=at, known__lte=known or at)
    newest = rows.order_by("device_id", "property", "-valid").distinct("device_id", "property")
    found: dict[int, dict[str, Any]] = {}
    for device, name, value in newest.values_list("device_id", "property", "value"):
        found.setdefault(device, {})[name] = value
    return found


def chunk(actor: Actor, scope: Scope, since: datetime) -> dict[str, Any]:
    """Half an hour of the past for the browser to play: the state at its start, then every change in it.

    Changes carry both clocks; a change shows from max(valid, known) on, so a late report appears when it was known.
    Cases carry when they opened, became known and were finished. Times are seconds since 1970.
    """
    until = since + CHUNK
    ids = list(devices.visible(actor).filter(place__path__startswith=scope.path).values_list("pk", flat=True)[:DETAIL])
    moved = Change.objects.filter(device__in=ids).filter(
        Q(valid__gte=since, valid__lt=until) | Q(known__gte=since, known__lt=until)
    )
    deltas = moved.order_by("valid").values_list("device_id", "property", "value", "valid", "known")[:20_000]
    return {
        "since": since.timestamp(),
        "until": until.timestamp(),
        "start": _states(ids, since),
        "changes": [[d, name, value, valid.timestamp(), known.timestamp()] for d, name, value, valid, known in deltas],
        "cases": _cases_of(actor, scope, since, until),
    }


def _cases_of(actor: Actor, scope: Scope, since: datetime, until: datetime) -> list[dict[str, Any]]:
    ended = CaseEvent.Kind.RESOLVED, CaseEvent.Kind.CLOSED, CaseEvent.Kind.FALSE_ALARM, CaseEvent.Kind.MERGED
    rows = cases.visible(actor).filter(place__path__startswith=scope.path, known_at__lt=until)
    rows = rows.filter(Q(state__in=Case.OPEN) | Q(closed_at__gte=since) | Q(resolved_at__gte=since))
    found = list(rows.select_related("place", "device").order_by("severity_rank", "-opened_at")[:300])
    ends = dict(
        CaseEvent.objects.filter(case__in=found, kind__in=ended)
        .order_by("case_id", "-known")
        .values_list("case", "known")
    )
    return [
        _mark(case)
        | {
            "from": max(case.opened_at, case.known_at).timestamp(),
            "to": ends[case.pk].timestamp() if case.pk in ends and case.state not in Case.OPEN else None,
        }
        for case in found
    ]


def bars(actor: Actor, scope: Scope, since: datetime, until: datetime, count: int) -> dict[str, Any]:
    """Observations per bucket and the cases raised in a span; the kept hourly counts serve spans over a day."""
    fine = until - since <= FINE_SPAN and _kept(actor, scope, since, until) <= FINE_ROWS
    values = _fine(actor, scope, since, until, count) if fine else _hourly(actor, scope, since, until, count)
    marks = cases.marks(actor, scope.path, since, until, 200) if actor.may_anywhere("cases.view") else []
    return {
        "since": since.timestamp(),
        "until": until.timestamp(),
        "counts": values,
        "marks": [
            {
                "id": case.pk,
                "t": case.opened_at.timestamp(),
                "severity": case.severity,
                "title": case.title,
                "title_en": case.title_en,
            }
            for case in marks
        ],
    }


def _kept(actor: Actor, scope: Scope, since: datetime, until: datetime) -> int:
    """How many observations the hourly counts know of in a span: decides whether counting them one by one is cheap."""
    visible = places.visible(actor, permission="observations.view").filter(path__startswith=scope.path)
    rows = HourlyCount.objects.filter(place__in=visible.values("pk"), hour__gte=since, hour__lt=until)
    return rows.aggregate(total=Sum("count"))["total"] or 0


def _fine(actor: Actor, scope: Scope, since: datetime, until: datetime, count: int) -> list[int]:
    width = (until - since) / count
    visible = places.visible(actor, permission="observations.view").filter(path__startswith=scope.path)
    query, parameters = visible.values("pk").order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT floor(extract(epoch FROM t - %s) / %s)::int AS bucket, count(*) FROM obs "
            f"WHERE t >= %s AND t < %s AND place IN ({query}) "
            "AND kind NOT IN (SELECT id FROM observations_observationkind WHERE code = ANY(%s)) GROUP BY bucket",
            [since, width.total_seconds(), since, until, *parameters, sorted(observations.guarded())],
        )
        found = dict(cursor.fetchall())
    return [found.get(index, 0) for index in range(count)]


def _hourly(actor: Actor, scope: Scope, since: datetime, until: datetime, count: int) -> list[int]:
    width = (until - since) / count
    visible = places.visible(actor, permission="observations.view").filter(path__startswith=scope.path)
    rows = HourlyCount.objects.filter(place__in=visible.values("pk"), hour__gt=since - HOUR, hour__lt=until)
    result = [0.0] * count
    # An hour is spread evenly over the buckets that it touches.
    for hour, value in rows.values_list("hour").annotate(total=Sum("count")).order_by("hour"):
        first = max(0, int((hour - since) / width))
        last = min(count - 1, max(first, int((hour + HOUR - since) / width) - 1))
        for index in range(first, last + 1):
            result[index] += value / (last - first + 1)
    return [round(value) for value in result]


def rounded(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` since 1970 at or before the moment."""
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
