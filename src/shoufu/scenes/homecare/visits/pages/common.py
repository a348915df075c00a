"""What the pages of patients and of staff have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking.providers import Slot
from shoufu.kernel.booking.selectors import moment
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Patient, ServiceVersion
from shoufu.scenes.homecare.visits import selectors, services, words
from shoufu.scenes.homecare.visits.models import Prescription
from shoufu.scenes.homecare.visits.standing import standing

DAYS = 14


@dataclass(frozen=True)
class Times:
    """A day with the times that can be had."""

    day: date
    slots: Sequence[Slot]


def by_day(slots: Sequence[Slot], zone: str) -> list[Times]:
    """Slots grouped by the day at their place."""
    found: dict[date, list[Slot]] = {}
    for slot in slots:
        found.setdefault(slot.start.astimezone(ZoneInfo(zone)).date(), []).append(slot)
    return [Times(day, times) for day, times in found.items()]


def window() -> tuple[datetime, datetime]:
    """From now as far as is looked ahead."""
    now = timezone.now()
    return now, now + timedelta(days=42)


@dataclass(frozen=True)
class Offered:
    """A service as a patient chooses it: what they pay of it, and what keeps it from being booked now (codes)."""

    version: ServiceVersion
    own: int
    insurance: int
    against: Sequence[str]
    needs: str
    """What to do first, see `services.next_step`; "" where it can be booked."""
    prescriptions: Sequence[Prescription]


def offers(patient: Patient) -> list[Offered]:
    """The services of a patient's institution that are open for booking."""
    there = selectors.bookable_services(patient.institution)
    return [offer_of(patient, one) for one in register.offered(patient.institution) if one.service_id in there]


def offer_of(patient: Patient, version: ServiceVersion) -> Offered:
    insurance = version.price * version.insurance_share // 100
    now = timezone.now()
    rows: list[Prescription] = []
    if version.needs_prescription:
        rows = selectors.usable_prescriptions(patient, version.service_id, register.day_at(patient.place, now))
    best = next((one for one in rows if one.checked_at is not None), rows[0] if rows else None)
    version.service.institution = patient.institution
    codes = [one.code for one in standing(patient, version.service, best).against(now)]
    first = services.next_step(codes, patient, version.service_id)
    return Offered(version, version.price - insurance, insurance, codes, first, rows)


def chosen_time(request: PageRequest, zone: str) -> datetime:
    """The time that was tapped; Invalid for none."""
    text = request.GET.get("start", "") or request.POST.get("start", "")
    if not text:
        raise Invalid.one("start", _("Choose day and time."))
    return moment(text, ZoneInfo(zone), "start")


def chosen_prescription(request: PageRequest) -> int | None:
    text = request.GET.get("prescription", "") or request.POST.get("prescription", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None


def draft_of(request: PageRequest, patient: Patient, version: ServiceVersion) -> services.VisitDraft:
    """What was chosen so far."""
    consent = request.POST.get("consent", "")
    return services.VisitDraft(
        patient.pk,
        version.service_id,
        chosen_time(request, patient.institution.place.time_zone),
        int(consent) if consent.isdecimal() and len(consent) < 12 else 0,
        chosen_prescription(request),
        request.POST.get("note", ""),
    )


def said(outlook: services.Outlook | None) -> list[str]:
    """What stands in the way of times, in sentences."""
    if outlook is None:
        return []
    found = [words.sentence(one) for one in outlook.against]
    limit = outlook.limit
    return found + (words.of_limit(limit, bool(outlook.slots)) if limit is not None else [])
