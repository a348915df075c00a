"""Whether every visit kept the rules: an assessment before it, people who were licensed and qualified, a prescription
and a consent where one is needed. Names every visit that did not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
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
    """Every rule over the visits of a span that were done; two statements, and three for the visits of each
    rule that was broken."""
    if not span.offices:
        return []
    done = _done(span)
    sent = Stop.objects.filter(visit__in=done.values("pk")).order_by()
    needed = {"assessed": Q(version__needs_assessment=True), "prescribed": Q(version__needs_prescription=True)}
    wrong = {
        "assessed": needed["assessed"] & _unassessed(),
        "office": Q(institution__licence_last_day__lt=F("day")),
        "prescribed": needed["prescribed"] & _unprescribed(),
        "consented": Q(consented_at__isnull=True) | Q(consented_at__gt=F("began_at")),
    }
    people = {"licensed": _unlicensed(), "qualified": _unqualified()}
    visits = _counts(done, wrong, needed)
    stops = _counts(sent, people, {})
    found = []
    for code in NAMES:
        if code in wrong:
            broken = done.filter(wrong[code])
        else:
            broken = Visit.objects.filter(pk__in=sent.filter(people[code]).values("visit"))
        checked, count = (visits | stops)[code]
        found.append(Check(code, checked, count, _shown(broken) if count else []))
    return found


def _counts(rows: QuerySet[Any], wrong: Mapping[str, Q], needed: Mapping[str, Q]) -> dict[str, tuple[int, int]]:
    """How many rows each rule looks at and how many break it, in one statement."""
    wanted = {f"{code}_broken": Count("pk", filter=condition) for code, condition in wrong.items()}
    wanted |= {f"{code}_checked": Count("pk", filter=needed.get(code)) for code in wrong}
    sums = rows.aggregate(**wanted)
    return {code: (sums[f"{code}_checked"], sums[f"{code}_broken"]) for code in wrong}


def _shown(rows: QuerySet[Visit]) -> list[Visit]:
    ids = list(rows.order_by("-day", "-pk").values_list("pk", flat=True)[:MOST])
    listed = Visit.objects.filter(pk__in=ids).select_related(
        "patient__person", "service", "version", "institution__organisation", "institution__place", "place"
    )
    listed = listed.defer("note", "patient__access", "patient__health", "patient__person__phone")
    listed = listed.defer("patient__person__identity").prefetch_related("stops__practitioner__person")
    return list(listed.order_by("-day", "-pk"))


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
