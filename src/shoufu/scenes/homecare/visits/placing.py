"""Slots that exist: which times somebody can really come at, and putting a visit into the plan of its day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import dispatch
from shoufu.engines.dispatch import DispatchError
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking.providers import Slot
from shoufu.kernel.booking.services.claims import lapse
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.planning.days import Day, Wish
from shoufu.scenes.homecare.quality.selectors import refused_people
from shoufu.scenes.homecare.register.eligibility import Reason
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, Service, ServiceVersion
from shoufu.scenes.homecare.register.selectors import day_at, version_on
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.standing import Standing

MINUTE = timedelta(minutes=1)
GRIDS = (15, 5)
"""Minutes between the begins that are tried within a window, where the slots lie on such a grid."""


def served(
    found: Standing,
    slots: Sequence[Slot],
    *,
    agreed: ServiceVersion | None = None,
    leaving: int | None = None,
    loaded: Mapping[date, Day] | None = None,
) -> list[Slot]:
    """Those of the slots at which somebody can begin within the promised window, the plans of the days being as they
    are (or as they were `loaded`, for this patient), without the visit `leaving`. With `agreed` only slots of days on
    which that version holds."""
    by_day: dict[date, list[Slot]] = defaultdict(list)
    for slot in slots:
        day = found.day(slot.start)
        if agreed is not None and found.version_on(day) != agreed:
            continue
        if not found.against(slot.start):
            by_day[day].append(slot)
    if not by_day:
        return []
    if loaded is None:
        loaded = days.load_many(found.office, by_day, without=leaving, patient=found.patient)
    kept = [one for day, group in by_day.items() for one in _kept(found, loaded[day], group)]
    return sorted(kept, key=lambda one: one.start)


def another_version(service: Service, agreed: ServiceVersion, start: datetime) -> Reason | None:
    """The reason against a visit, whose service was agreed to in one version, on a day on which another one holds."""
    now = version_on(service.pk, day_at(service.institution.place, start))
    return Reason("version_changed") if now is not None and now != agreed else None


def _kept(found: Standing, day: Day, slots: Sequence[Slot]) -> list[Slot]:
    version = found.version_on(day.day)
    if version is None:
        return []
    window = day.policy.window_minutes
    free = [one for one in slots if not _busy(day, found.patient.pk, one.start, version, window)]
    grid = _grid(free)
    groups = [group for group in ([free] if grid else [[one] for one in free]) if group]
    wishes = (_wish(day, found.patient, version, group) for group in groups)
    starts = [start for wish in wishes for start in _starts(day, wish, grid or 5)]
    begins = [(one, day.minutes(one.start)) for one in free]
    return [one for one, begin in begins if any(begin <= start <= begin + window for start in starts)]


def _wish(day: Day, patient: Patient, version: ServiceVersion, slots: Sequence[Slot]) -> Wish:
    """A visit from the first slot to the end of the last one's window."""
    last = slots[-1].start + day.policy.window_minutes * MINUTE
    return Wish(patient, version, slots[0].start, last)


def _starts(day: Day, wish: Wish, step: int) -> list[float]:
    """Begins (minutes of the day) that the plan has room for."""
    wider, visit = day.with_wish(wish)
    return [one.starts[0] for one in dispatch.feasible(wider.problem, visit, wider.plan, step=float(step))]


def _grid(slots: Sequence[Slot]) -> int:
    """A grid on which all the slots lie; 0 where none does."""
    offsets = {round((one.start - slots[0].start) / MINUTE) for one in slots}
    return next((step for step in GRIDS if all(offset % step == 0 for offset in offsets)), 0)


def _busy(day: Day, patient: int, start: datetime, version: ServiceVersion, window: int) -> bool:
    """Whether the patient has another visit that this one could run into."""
    begin, slack = start.timestamp(), 60.0 * lasts(version)
    mine = (row for row in (*day.rows.values(), *day.past) if row.patient == patient and row.ended is None)
    return any(row.starts < begin + 60.0 * window + slack and begin < row.latest + slack for row in mine)


def lasts(version: ServiceVersion) -> int:
    """Minutes from the first begin to the end of the last service, at most."""
    return version.duration_minutes + version.gap_most


def put(actor: Actor, visit: Visit, kind: str, day: Day | None = None, *, new: bool = False) -> None:
    """Put a visit into the plan of its day, under the lock of that day. `day` is what was read of it for this patient
    under that lock, without the visit; one that is `new` nobody can have refused alone. Conflict where it does not fit
    (any more)."""
    day = day or days.load(visit.institution, visit.day, without=visit.pk, patient=visit.patient)
    refused = None if new else refused_people(visit.patient, visit)
    wish = Wish(visit.patient, visit.version, visit.starts_at, visit.latest_at, refused, str(visit.pk))
    wider, wished = day.with_wish(wish)
    offers = dispatch.feasible(wider.problem, wished, wider.plan, step=float(min(GRIDS)))
    if not offers:
        raise no_room()
    offer = min(offers, key=lambda one: (one.extra_cost, one.starts[0]))
    try:
        _problem, plan = dispatch.place(wider.problem, wider.plan, wished, offer)
    except DispatchError as error:
        raise no_room() from error
    days.save_placed(actor, wider, plan, kind, visit.pk)
    days.nobody_twice(no_room())


def crew_for(patient: Patient, version: ServiceVersion, start: datetime) -> list[Practitioner]:
    """Who would come by the plan as it stands; empty where nobody can."""
    office = patient.institution
    loaded = days.load(office, day_at(office.place, start), patient=patient)
    latest = start + loaded.policy.window_minutes * MINUTE
    wish = Wish(patient, version, start, latest)
    wider, wished = loaded.with_wish(wish)
    offers = dispatch.feasible(wider.problem, wished, wider.plan, step=float(min(GRIDS)))
    best = min(offers, key=lambda one: (one.extra_cost, one.starts[0]), default=None)
    return [loaded.people[one] for one in best.caregivers] if best is not None else []


def no_room() -> Conflict:
    return Conflict(_("Nobody can come at this time any more; choose another one."), reason="infeasible")


def let_go(office: Institution, on: Iterable[date]) -> int:
    """End holds of some days that ran out, so that their people are free. Under the locks of the days."""
    rows = Visit.objects.filter(institution=office, day__in=list(on), state=Visit.State.HELD)
    due = rows.filter(booking__held_until__lte=timezone.now()).order_by("booking")
    return lapse(list(due.values_list("booking", flat=True)))
