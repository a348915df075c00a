import logging
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Min
from django.utils.translation import override

from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.apart import apart
from shoufu.kernel.notices.services import About, notify_user
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.planning.risks import Risk, open_ones, risks
from shoufu.scenes.homecare.planning.running import running
from shoufu.scenes.homecare.planning.services.telling import coordinators
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.visits.models import Visit

log = logging.getLogger(__name__)


def watch(now: datetime) -> int:
    """Tell coordinators of visits of today that are at risk, each once for each kind of risk; how many are."""
    waiting = Visit.objects.filter(state=Visit.State.BOOKED, began_at__isnull=True)
    rows = Institution.objects.select_related("place", "organisation").order_by("pk")
    offices = {office.pk: office for office in rows.filter(pk__in=waiting.values("institution"))}
    return apart(log, "risks of institution", offices, lambda number: _watched(offices[number], now))


def _watched(office: Institution, now: datetime) -> int:
    today = now.astimezone(ZoneInfo(office.place.time_zone)).date()
    if _quiet(office, today, now):
        return 0
    listed = _listed(office, today, now)
    if listed:
        _tell(office, today, now)
    return len(listed)


def _listed(office: Institution, today: date, now: datetime) -> list[Risk]:
    at = running(days.load(office, today, now=now), now)
    return [*risks(at, now), *open_ones(at)]


def _quiet(office: Institution, today: date, now: datetime) -> bool:
    """Whether the first visit of the day is still to come: nobody can be late yet."""
    rows = Visit.objects.filter(institution=office, day=today, state__in=(Visit.State.BOOKED, Visit.State.UNDERWAY))
    first = rows.aggregate(first=Min("starts_at"))["first"]
    return first is None or first > now


def _tell(office: Institution, today: date, now: datetime) -> None:
    users = list(User.objects.filter(pk__in=coordinators(office)))
    by_language = {one.language for one in users}
    said: dict[str, list[Risk]] = {}
    for language in by_language:
        with override(language):
            said[language] = _listed(office, today, now)
    for user in users:
        for risk in said[user.language]:
            notify_user(SYSTEM, "care.risk", _about(office, risk), user.pk)


def _about(office: Institution, risk: Risk) -> About:
    visit, zone = risk.visit, ZoneInfo(office.place.time_zone)
    same = {
        "name": visit.patient.person.name,
        "promised": f"{visit.starts_at.astimezone(zone):%H:%M}–{visit.latest_at.astimezone(zone):%H:%M}",
        "why": risk.text,
    }
    words = {
        "zh-hans": same | {"service": visit.version.name},
        "en": same | {"service": visit.version.name_en or visit.version.name},
    }
    return About(visit.place, f"risk:{visit.pk}:{risk.code}", words)
