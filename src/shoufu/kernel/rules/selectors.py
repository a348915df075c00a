from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.scene import RuleTemplate
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.evaluation import Places, RuleSource
from shoufu.kernel.rules.models import Firing, Rehearsal, Rule, RuleVersion
from shoufu.kernel.rules.spec import KindLike, Names, RuleSpec, parse

VIEW = "rules.view"


def kinds() -> dict[str, KindLike]:
    """Every kind a rule can read: those in the database, and declared ones that are not there yet."""
    found: dict[str, KindLike] = dict(registry.kinds())
    return found | {kind.code: kind for kind in ObservationKind.objects.all()}


def case_kinds() -> Mapping[str, Any]:
    return registry.case_kinds()


def roles() -> Mapping[str, Any]:
    return registry.roles()


def templates() -> Mapping[str, RuleTemplate]:
    """The rules that scenes offer, by code."""
    return registry.rule_templates()


def names(language: str, rule: Rule | None = None) -> Names:
    """What the codes in a rule's sentence are called in a language ("en", else Chinese)."""
    english = language.startswith("en")

    def named(items: Mapping[str, Any]) -> dict[str, str]:
        return {code: (item.name_en if english and item.name_en else item.name) for code, item in items.items()}

    within = [place for version in rule.versions.all() for place in version.spec.get("within", ())] if rule else []
    places = {place.pk: place for place in Place.objects.filter(pk__in=within)} if within else {}
    home = rule.place if rule else None
    return Names(
        kinds=named(kinds()),
        places={pk: (place.name_en if english and place.name_en else place.name) for pk, place in places.items()},
        case_kinds=named(case_kinds()),
        roles=named(roles()),
        place=(home.name_en if english and home.name_en else home.name) if home else "",
    )


def visible(actor: Actor) -> QuerySet[Rule]:
    """Rules of the places where the actor may see rules, with `live_number` and `draft_number` (or None)."""
    newest = RuleVersion.objects.filter(rule=OuterRef("pk")).order_by("-number")
    return (
        policy.limit(Rule.objects.all(), actor, VIEW)
        .select_related("place")
        .annotate(
            live_number=Subquery(newest.filter(state=RuleVersion.State.LIVE).values("number")[:1]),
            draft_number=Subquery(newest.filter(state=RuleVersion.State.DRAFT).values("number")[:1]),
        )
    )


def listed(actor: Actor, *, place_path: str = "", search: str = "", state: str = "") -> QuerySet[Rule]:
    """Rules for the list: in a subtree, by words of name or code, and by "live", "draft" or "off"."""
    rows = visible(actor).prefetch_related(Prefetch("versions", RuleVersion.objects.order_by("number")))
    if place_path:
        rows = rows.filter(place__path__startswith=place_path)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(name_en__icontains=search) | Q(code__icontains=search))
    if state == "live":
        rows = rows.filter(live_number__isnull=False)  # type: ignore[misc]
    elif state == "draft":
        rows = rows.filter(draft_number__isnull=False)  # type: ignore[misc]
    elif state == "off":
        rows = rows.filter(live_number__isnull=True)  # type: ignore[misc]
    return rows


def get(actor: Actor, rule_id: int) -> Rule:
    """One rule with its versions; NotFound when the actor may not see it."""
    found = visible(actor).prefetch_related("versions").filter(pk=rule_id).first()
    if found is None:
        raise NotFound(_("There is no rule %s that you may see.") % rule_id)
    return found


def by_code(actor: Actor, code: str) -> Rule:
    """One rule by its code; NotFound when the actor may not see it."""
    found = visible(actor).prefetch_related("versions").filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no rule “%s” that you may see.") % code)
    return found


def version(actor: Actor, version_id: int) -> RuleVersion:
    """One version; NotFound when the actor may not see its rule."""
    rows = policy.limit(RuleVersion.objects.all(), actor, VIEW, "rule__place__path")
    found = rows.select_related("rule__place").filter(pk=version_id).first()
    if found is None:
        raise NotFound(_("There is no rule version %s that you may see.") % version_id)
    return found


def versions_for_update(version_ids: Sequence[int]) -> list[RuleVersion]:
    """Versions with rules and places, locked until the end of the transaction; not limited to anyone's rights."""
    rows = RuleVersion.objects.filter(pk__in=version_ids).select_related("rule__place").order_by("pk")
    return list(rows.select_for_update(of=["self"]))


def live_version(rule: Rule) -> RuleVersion | None:
    """The version in force (no query where versions are prefetched)."""
    return next((one for one in rule.versions.all() if one.state == RuleVersion.State.LIVE), None)


def newest_version(rule: Rule) -> RuleVersion | None:
    return max(rule.versions.all(), key=lambda one: one.number, default=None)


def spec_of(version: RuleVersion) -> RuleSpec:
    return parse(version.spec)


def rehearsals(actor: Actor, rule_id: int) -> QuerySet[Rehearsal]:
    """Rehearsals of a rule's versions, newest first."""
    rows = policy.limit(Rehearsal.objects.all(), actor, VIEW, "version__rule__place__path")
    return rows.filter(version__rule=rule_id).select_related("version").order_by("-asked_at")


def rehearsal(actor: Actor, rehearsal_id: int) -> Rehearsal:
    """One rehearsal; NotFound when the actor may not see its rule."""
    rows = policy.limit(Rehearsal.objects.all(), actor, VIEW, "version__rule__place__path")
    found = rows.select_related("version__rule__place").filter(pk=rehearsal_id).first()
    if found is None:
        raise NotFound(_("There is no rehearsal %s that you may see.") % rehearsal_id)
    return found


def firings(actor: Actor, *, rule_id: int | None = None) -> QuerySet[Firing]:
    """Firings at places the actor may see, newest first."""
    rows = policy.limit(Firing.objects.all(), actor, VIEW).select_related("version__rule", "place", "device")
    if rule_id is not None:
        rows = rows.filter(version__rule=rule_id)
    return rows.order_by("-t", "-pk")


def firing_counts(actor: Actor, rule_ids: Sequence[int], since: Any) -> dict[int, int]:
    """How often each rule fired since then, suppressed ones left out."""
    rows = firings(actor).filter(version__rule__in=rule_ids, t__gte=since, suppressed=False).order_by()
    return dict(rows.values_list("version__rule").annotate(count=Count("pk")))


# What the evaluator, rehearsal and replay read; they act for the system, so nothing is limited here.


def place_tree() -> Places:
    """Paths and time zones of all places."""
    rows = list(Place.objects.values_list("pk", "path", "time_zone"))
    return Places({pk: path for pk, path, _zone in rows}, {pk: zone for pk, _path, zone in rows})


def source(version: RuleVersion) -> RuleSource:
    return RuleSource(version=version.pk, place=version.rule.place_id, spec=parse(version.spec))
