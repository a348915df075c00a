from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules import selectors
from shoufu.kernel.rules.models import Decision, Rehearsal, Rule, RuleVersion
from shoufu.kernel.rules.spec import RuleSpec, check, parse

MANAGE = "rules.manage"
LONGEST_REHEARSAL = timedelta(days=400)
# The lock under which batches of the log get their numbers (see the migration `observations.0002_log`).
LOG_LOCK = (7305, 1)


@dataclass(frozen=True)
class RuleDraft:
    """A rule to be; without a `spec` it takes that of the template. An empty code is made from template and place."""

    place: int
    name: str = ""
    name_en: str = ""
    code: str = ""
    template: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def create_rule(actor: Actor, draft: RuleDraft) -> Rule:
    """Make a rule with its first draft. Raises Invalid, Forbidden."""
    return create_rules(actor, [draft])[0]


@transaction.atomic
def create_rules(actor: Actor, drafts: Sequence[RuleDraft]) -> list[Rule]:
    """Make rules, each with its first draft, in a constant number of queries. Raises Invalid, Forbidden."""
    templates = selectors.templates()
    places = Place.objects.in_bulk({draft.place for draft in drafts})
    checker = _Checker(actor)
    taken = set(Rule.objects.values_list("code", flat=True))
    rules, specs = [], []
    for index, draft in enumerate(drafts):
        place = places.get(draft.place)
        if place is None or not actor.may("places.view", place.path):
            raise Invalid.one(f"/{index}/place", _("There is no place %s; choose one from the tree.") % draft.place)
        policy.require(actor, MANAGE, place)
        template = templates.get(draft.template)
        if draft.template and template is None:
            raise Invalid.one(f"/{index}/template", _("There is no rule template “%s”.") % draft.template)
        specs.append(checker.check(draft.spec or (template.spec if template else {}), place))
        name = draft.name or (template.name if template else "")
        if not name:
            raise Invalid.one(f"/{index}/name", _("Give the rule a name."))
        name_en = draft.name_en or (template.name_en if template else "")
        code = _free_code(draft, place, taken)
        rules.append(Rule(code=code, name=name, name_en=name_en, place=place, template=draft.template))
    Rule.objects.bulk_create(rules)
    RuleVersion.objects.bulk_create(
        [
            RuleVersion(rule=rule, number=1, spec=spec.document(), author=actor.label, note=draft.note)
            for rule, spec, draft in zip(rules, specs, drafts, strict=True)
        ]
    )
    record_many(actor, [Act("rules.create", rule, rule.place_id, data={"code": rule.code}) for rule in rules])
    return rules


def _free_code(draft: RuleDraft, place: Place, taken: set[str]) -> str:
    if draft.code and draft.code in taken:
        raise Invalid.one("/code", _("The code “%s” is taken; choose another.") % draft.code)
    base = draft.code or f"{draft.template or 'rule'}.{place.code}"[:56]
    code, number = base, 1
    while code in taken:
        number += 1
        code = f"{base}-{number}"
    taken.add(code)
    return code


class _Checker:
    """Checks documents against what the database and the actor know, read once."""

    def __init__(self, actor: Actor) -> None:
        self.kinds = selectors.kinds()
        self.case_kinds = selectors.case_kinds()
        self.roles = selectors.roles()
        self.places = dict(policy.limit(Place.objects.all(), actor, "places.view", "path").values_list("pk", "path"))

    def check(self, document: Mapping[str, Any], place: Place) -> RuleSpec:
        """The rule of a document. Raises Invalid with every fault."""
        spec = parse(document)
        below = {pk for pk, path in self.places.items() if path.startswith(place.path)}
        errors = check(spec, self.kinds, case_kinds=self.case_kinds, roles=self.roles, places=below)
        if errors:
            raise Invalid(*errors)
        return spec


def check_document(actor: Actor, document: Mapping[str, Any], place: Place) -> list[FieldError]:
    """Every fault of a document for a rule of this place, without saving anything."""
    try:
        _Checker(actor).check(document, place)
    except Invalid as problem:
        return list(problem.errors)
    return []


@transaction.atomic
def save_draft(
    actor: Actor,
    rule_id: int,
    document: Mapping[str, Any],
    *,
    note: str = "",
    based_on: int | None = None,
    fresh: bool = False,
) -> RuleVersion:
    """Save a draft: the newest version if it is one still (unless `fresh`), else a new version.

    `based_on` is the number of the newest version the author saw; Conflict when there is a newer one by now.
    """
    rule = _managed(actor, rule_id)
    spec = _Checker(actor).check(document, rule.place)
    newest = rule.versions.order_by("-number").first()
    if based_on is not None and newest is not None and newest.number != based_on:
        raise Conflict(
            _("%(who)s saved version %(number)s meanwhile; look at it first.")
            % {"who": newest.author, "number": newest.number},
            number=newest.number,
        )
    is_draft = newest is not None and newest.state == RuleVersion.State.DRAFT
    if newest is not None and is_draft and not fresh and not newest.rehearsals.exists():
        version = newest
    else:
        version = RuleVersion(rule=rule, number=newest.number + 1 if newest else 1)
    before = version.spec if version.pk else None
    version.spec, version.author, version.note = spec.document(), actor.label, note[:200]
    version.save()
    data = {"number": version.number, "before": before, "after": version.spec}
    record(actor, Act("rules.save_draft", version, rule.place_id, data=data))
    return version


@transaction.atomic
def activate(actor: Actor, version_id: int) -> RuleVersion:
    """Make a version live, from the next batch of the log on; the one before is retired. Raises Invalid, Conflict."""
    return activate_many(actor, [version_id])[0]


@transaction.atomic
def activate_many(actor: Actor, version_ids: Sequence[int]) -> list[RuleVersion]:
    """Activate versions of different rules at once."""
    found = {version.pk: version for version in selectors.versions_for_update(version_ids)}
    checker = _Checker(actor)
    for version_id in version_ids:
        version = found.get(version_id)
        if version is None or not actor.may(selectors.VIEW, version.rule.place.path):
            raise NotFound(_("There is no rule version %s that you may see.") % version_id)
        policy.require(actor, MANAGE, version.rule.place)
        if version.state == RuleVersion.State.LIVE:
            raise Conflict(_("Version %s is live already.") % version.number)
        checker.check(version.spec, version.rule.place)
    versions = [found[version_id] for version_id in version_ids]
    live = list(
        RuleVersion.objects.filter(
            rule__in={version.rule_id for version in versions}, state=RuleVersion.State.LIVE
        ).select_for_update(of=["self"])
    )
    proposed = _proposed(versions)
    acts = [
        Act("rules.activate", one, one.rule.place_id, data={"number": one.number} | proposed.get(one.pk, {}))
        for one in versions
    ]
    record_many(actor, acts)
    now, batch = timezone.now(), _next_batch()
    _retire(live, now, batch)
    for version in versions:
        version.state, version.live_from, version.from_batch = RuleVersion.State.LIVE, now, batch
        version.live_until = version.until_batch = None
    RuleVersion.objects.bulk_update(versions, ["state", "live_from", "from_batch", "live_until", "until_batch"])
    return versions


def _proposed(versions: Sequence[RuleVersion]) -> dict[int, dict[str, Any]]:
    """For the audit: which of them were made of a proposal, and what it said."""
    rows = Decision.objects.filter(version__in=versions, kind=Decision.Kind.TRIED).order_by("at")
    return {
        one.version_id: {"proposal": {"pointer": one.pointer, "value": one.value, "reason": one.reason}}
        for one in rows
        if one.version_id
    }


@transaction.atomic
def retire(actor: Actor, rule_id: int) -> RuleVersion:
    """Switch a rule off, from the next batch of the log on. Conflict when no version of it is live."""
    rule = _managed(actor, rule_id)
    version = rule.versions.filter(state=RuleVersion.State.LIVE).select_for_update().first()
    if version is None:
        raise Conflict(_("The rule is off already."))
    record(actor, Act("rules.retire", version, rule.place_id, data={"number": version.number}))
    _retire([version], timezone.now(), _next_batch())
    return version


def _retire(versions: Sequence[RuleVersion], now: datetime, batch: int) -> None:
    for version in versions:
        version.state, version.live_until, version.until_batch = RuleVersion.State.RETIRED, now, batch
    RuleVersion.objects.bulk_update(versions, ["state", "live_until", "until_batch"])


def _next_batch() -> int:
    """The number that the next batch will get; no batch is numbered before this transaction ends.

    So an evaluator that sees that batch sees the rules that are in force from it on, and replay is exact.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOG_LOCK)
        cursor.execute("SELECT coalesce(max(number), 0) + 1 FROM batch_log")
        return int(cursor.fetchone()[0])


def _managed(actor: Actor, rule_id: int) -> Rule:
    """The rule, locked, that the actor may manage. Raises NotFound, Forbidden."""
    rule = Rule.objects.select_for_update(of=["self"]).select_related("place").filter(pk=rule_id).first()
    if rule is None or not actor.may(selectors.VIEW, rule.place.path):
        raise NotFound(_("There is no rule %s that you may see.") % rule_id)
    policy.require(actor, MANAGE, rule.place)
    return rule


@transaction.atomic
def rehearse(actor: Actor, version_id: int, since: datetime, until: datetime) -> Rehearsal:
    """Queue a rehearsal of a version over [since, until); its progress and result appear in the row. Raises Invalid."""
    from shoufu.kernel.rules import tasks

    version = selectors.version(actor, version_id)
    policy.require(actor, MANAGE, version.rule.place)
    if not since < until:
        raise Invalid.one("/until", _("The end must lie after the beginning."))
    if until - since > LONGEST_REHEARSAL:
        raise Invalid.one("/since", _("Rehearse at most %d days at a time.") % LONGEST_REHEARSAL.days)
    rehearsal = Rehearsal.objects.create(version=version, since=since, until=until, asked_by=actor.label)
    data = {"since": since.isoformat(), "until": until.isoformat()}
    record(actor, Act("rules.rehearse", version, version.rule.place_id, data=data))
    transaction.on_commit(lambda: tasks.rehearse.defer(rehearsal_id=rehearsal.pk))
    return rehearsal
