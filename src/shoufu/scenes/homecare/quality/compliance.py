"""Whether every visit kept the rules: an assessment before it, people who were licensed and qualified, a prescription
and a consent where one is needed. Names every visit that did not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.access.policy import subtree
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.quality.counting import Span
from shoufu.scenes.homecare.register import codes, national
from shoufu.scenes.homecare.visits.models import Stop, Visit

MOST = 200
NAMES = {
    "assessed": _("Assessed before the visit"),
    "licensed": _("Licence valid on the day"),
    "qualified": _("Title and years as the state asks"),
    "office": _("Institution licensed on the day"),
    "prescribed": _("Prescription valid where needed"),
    "consented": _("Consent before the visit"),
}


@dataclass(frozen=True)
class Check:
    """One rule over a span: how many visits (or people sent) were looked at, how many broke it, and the first ones."""

    code: str
    checked: int
    broken: int
    visits: Sequence[Visit]

    @property
    def name(self) -> str:
        return str(NAMES[self.code])

    @property
    def share(self) -> float | None:
        return (self.checked - self.broken) / self.checked if self.checked else None


def _done(span: Span) -> QuerySet[Visit]:
    rows = Visit.objects.filter(
        state=Visit.State.DONE, institution__in=span.offices, day__gte=span.since, day__lt=span.until
    )
    if span.service is not None:
        rows = rows.filter(service=span.service)
    if span.paths is not None:
        rows = rows.filter(subtree(span.paths))
    if span.practitioners is not None:
        rows = rows.filter(pk__in=Stop.objects.filter(practitioner__in=span.practitioners).values("visit"))
    return rows.order_by()


def checks(span: Span) -> list[Check]:
    """Every rule over the visits of a span that were done; two or three queries a rule."""
    if not span.offices:
        return []
    done = _done(span)
    sent = Stop.objects.filter(visit__in=done.values("pk")).order_by()
    found = [
        _check("assessed", done.filter(version__needs_assessment=True), _unassessed()),
        _of_people("licensed", sent, _unlicensed()),
        _of_people("qualified", sent, _unqualified()),
        _check("office", done, Q(institution__licence_last_day__lt=F("day"))),
        _check("prescribed", done.filter(version__needs_prescription=True), _unprescribed()),
        _check("consented", done, Q(consented_at__isnull=True) | Q(consented_at__gt=F("began_at"))),
    ]
    return found


def _shown(rows: QuerySet[Visit]) -> list[Visit]:
    listed = rows.select_related(
        "patient__person", "service", "version", "institution__organisation", "institution__place", "place"
    )
    listed = listed.defer("note", "patient__access", "patient__health").prefetch_related("stops__practitioner__person")
    return list(listed.order_by("-day", "-pk")[:MOST])


def _check(code: str, rows: QuerySet[Visit], wrong: Q) -> Check:
    broken = rows.filter(wrong)
    count = broken.count()
    return Check(code, rows.count(), count, _shown(broken) if count else [])


def _of_people(code: str, rows: QuerySet[Stop], wrong: Q) -> Check:
    broken = rows.filter(wrong)
    count = broken.count()
    visits = Visit.objects.filter(pk__in=broken.values("visit"))
    return Check(code, rows.count(), count, _shown(visits) if count else [])


def _unassessed() -> Q:
    rested = Q(assessment__decision="fit", assessment__ended_at__lte=F("began_at"), assessment__last_day__gte=F("day"))
    other = Assessment.objects.filter(
        patient=OuterRef("patient"),
        service=OuterRef("service"),
        decision="fit",
        ended_at__lte=OuterRef("began_at"),
        last_day__gte=OuterRef("day"),
    )
    return ~(Q(assessment__isnull=False) & rested) & ~Q(Exists(other))


def _unlicensed() -> Q:
    began = F("visit__began_at")
    return (
        Q(practitioner__licence_last_day__lt=F("visit__day"))
        | Q(practitioner__verified_at__isnull=True)
        | Q(practitioner__suspended_at__lt=began)
        | Q(practitioner__left_at__lt=began)
    )


def _unqualified() -> Q:
    wrong = Q(pk__in=[])
    for rule in _national():
        years = 365.25 * rule.least_years
        of_profession = Q(practitioner__profession=rule.profession, visit__day__gte=rule.since)
        young = Q(visit__day__lt=F("practitioner__clinical_since") + int(years))
        wrong |= of_profession & (Q(practitioner__rank__lt=rule.least_rank) | young)
    return wrong


def _national() -> Iterator[Any]:
    for profession in codes.Profession.values:
        held = [rule for rule in national.rules() if rule.profession == profession]
        yield from held[-1:]


def _unprescribed() -> Q:
    held = Q(
        prescription__isnull=False,
        prescription__checked_at__isnull=False,
        prescription__issued_on__lte=F("day"),
        prescription__last_day__gte=F("day"),
    )
    return ~held


def whole(found: Sequence[Check]) -> Mapping[str, int]:
    """Over all rules: how many were looked at and how many broken."""
    return {"checked": sum(one.checked for one in found), "broken": sum(one.broken for one in found)}
