from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases import live
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.lifecycle import RANK, case_kind, limits
from shoufu.kernel.cases.models import Case, CaseEvent, DayNumber
from shoufu.kernel.cases.telling import tell
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.models import Firing


@dataclass(frozen=True)
class RaisedCase:
    """A firing that becomes a case or, where it was `suppressed` by the cool-down, one more sign of the last one.

    `title` and `title_en` are empty to use the kind's names; `notify` are role codes; `exhibits` are its evidence.
    """

    firing: Firing
    kind: str
    severity: str
    title: str = ""
    title_en: str = ""
    role: str = ""
    notify: tuple[str, ...] = ()
    exhibits: tuple[Exhibit, ...] = field(default=())


def take_numbers(days: Sequence[date]) -> list[str]:
    """Case numbers ("C-20261123-0147"), one for each day given; one statement a distinct day, none given twice."""
    wanted: dict[date, int] = {}
    for day in days:
        wanted[day] = wanted.get(day, 0) + 1
    following: dict[date, int] = {}
    with connection.cursor() as cursor:
        for day in sorted(wanted):
            cursor.execute(
                f"INSERT INTO {DayNumber._meta.db_table} (day, last) VALUES (%s, %s) "
                "ON CONFLICT (day) DO UPDATE SET last = cases_daynumber.last + EXCLUDED.last RETURNING last",
                [day, wanted[day]],
            )
            following[day] = cursor.fetchone()[0] - wanted[day]
    numbers = []
    for day in days:
        following[day] += 1
        numbers.append(f"C-{day:%Y%m%d}-{following[day]:04d}")
    return numbers


def _case(raised: RaisedCase, place: Place, number: str, known: datetime) -> Case:
    kind = case_kind(raised.kind)
    acknowledge_by, resolve_by = limits(kind, raised.severity, known)
    firing = raised.firing
    return Case(
        number=number,
        kind=raised.kind,
        title=raised.title or kind.name,
        title_en=raised.title_en or kind.name_en,
        severity=raised.severity,
        severity_rank=RANK[raised.severity],
        place=place,
        device_id=firing.device_id,
        firing=firing,
        rule_version_id=firing.version_id,
        key=firing.key,
        opened_at=firing.t,
        known_at=known,
        last_at=firing.t,
        acknowledge_by=acknowledge_by,
        resolve_by=resolve_by,
        due_at=acknowledge_by,
        role=raised.role or kind.role,
    )


def _local_day(place: Place, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(place.time_zone)).date()


@transaction.atomic
def raise_cases(actor: Actor, raised: Iterable[RaisedCase]) -> list[Case]:
    """Make a case of every firing that was not suppressed, in one transaction and a constant number of queries.

    A firing that already has its case is passed over, so that reading the log again raises nothing twice. A
    suppressed firing is added to the latest case of its rule version and key ("seen again"). Notices to the roles
    named are queued in the same transaction.
    """
    items = list(raised)
    known = timezone.now()
    ids = [item.firing.pk for item in items]
    done = set(Case.objects.filter(firing__in=ids).values_list("firing_id", flat=True))
    fresh = [item for item in items if not item.firing.suppressed and item.firing.pk not in done]
    places = Place.objects.in_bulk({item.firing.place_id for item in fresh})
    days = [_local_day(places[item.firing.place_id], item.firing.t) for item in fresh]
    numbers = take_numbers(days)
    cases = Case.objects.bulk_create(
        [_case(item, places[item.firing.place_id], number, known) for item, number in zip(fresh, numbers, strict=True)]
    )
    CaseEvent.objects.bulk_create(
        [
            CaseEvent(
                case=case,
                kind=CaseEvent.Kind.RAISED,
                at=case.opened_at,
                known=known,
                actor=actor.label,
                data={"why": item.firing.why, "observations": item.firing.observations},
            )
            for case, item in zip(cases, fresh, strict=True)
        ]
    )
    attach_many([(case, exhibit) for case, item in zip(cases, fresh, strict=True) for exhibit in _exhibits(item)])
    record_many(actor, [Act("cases.raise", case, case.place_id, data={"number": case.number}) for case in cases])
    tell(actor, "case.raised", [(case, item.notify) for case, item in zip(cases, fresh, strict=True)])
    _repeat([item.firing for item in items if item.firing.suppressed], known, actor)
    live.publish(cases, "raised")
    return cases


def _exhibits(raised: RaisedCase) -> tuple[Exhibit, ...]:
    seen = tuple(
        Exhibit(kind="observation", observation=UUID(str(one)), t=raised.firing.t) for one in raised.firing.observations
    )
    return raised.exhibits + seen


def _repeat(firings: Sequence[Firing], known: datetime, actor: Actor) -> None:
    if not firings:
        return
    versions, keys = {firing.version_id for firing in firings}, {firing.key for firing in firings}
    latest = {
        (case.rule_version_id, case.key): case
        for case in Case.objects.filter(rule_version__in=versions, key__in=keys)
        .order_by("rule_version_id", "key", "-opened_at")
        .distinct("rule_version_id", "key")
    }
    touched: dict[int, Case] = {}
    events = []
    for firing in firings:
        case = latest.get((firing.version_id, firing.key))
        if case is None or firing.t <= case.last_at:
            continue
        case.last_at = firing.t
        case.occurrences += 1
        touched[case.pk] = case
        events.append(CaseEvent(case=case, kind=CaseEvent.Kind.REPEATED, at=firing.t, known=known, actor=actor.label))
    Case.objects.bulk_update(touched.values(), ["last_at", "occurrences"])
    CaseEvent.objects.bulk_create(events)
