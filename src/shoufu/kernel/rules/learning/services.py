"""What people do with proposals: try one on the past weeks, put it off, have the outcomes counted again."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.rules import selectors as rules
from shoufu.kernel.rules import services
from shoufu.kernel.rules.learning import selectors, words
from shoufu.kernel.rules.learning.study import WEEKS
from shoufu.kernel.rules.learning.turns import replaced, turn_at
from shoufu.kernel.rules.models import Decision, Rehearsal, RuleVersion, Study


@transaction.atomic
def try_proposal(actor: Actor, rule_id: int, pointer: str, value: float | None = None) -> Rehearsal:
    """Make a draft with the proposed number (or another `value` of its trade-off) and queue its trial on the weeks
    that were studied. Nothing changes for the live rule. Raises NotFound, Forbidden, Invalid, Conflict."""
    studied, offer = selectors.offer(actor, rule_id, pointer)
    policy.require(actor, services.MANAGE, studied.rule.place)
    if value is None and offer.best is None:
        raise Invalid.one("value", offer.nothing)
    rule = rules.get(actor, rule_id)
    live = rules.live_version(rule)
    if live is None or live.pk != studied.live.pk:
        raise Conflict(_("Another version is live by now; its outcomes are counted first. Try again in a few minutes."))
    wanted = value if value is not None or offer.best is None else offer.best.value
    spec = rules.spec_of(live)
    document = replaced(spec, turn_at(spec, pointer), float(wanted or 0)).document()
    reason = _reason(offer, next((one for one in offer.choices if one.value == wanted), None), words.value(
        offer.kind, float(wanted or 0), spec
    ))  # fmt: skip
    version = _draft(actor, rule.pk, document, reason)
    newest = Study.objects.values_list("newest", flat=True).get(rule=rule)
    Decision.objects.create(
        rule=rule,
        kind=Decision.Kind.TRIED,
        pointer=pointer,
        value=float(wanted or 0),
        version=version,
        newest=newest,
        reason=reason[:300],
        author=actor.label,
    )
    return services.rehearse(actor, version.pk, studied.since, timezone.now())


def _reason(offer: selectors.Offer, choice: selectors.Choice | None, text: str) -> str:
    """Why the draft was made, as its note and the audit tell it."""
    head = f"{offer.name}: {offer.current_text} → {text}"
    if choice is None:
        return head
    effect = words.effect(len(choice.avoided), offer.counts["false_alarm"], len(choice.lost), WEEKS)
    return f"{head}: {effect}"


def _draft(actor: Actor, rule_id: int, document: dict[str, object], note: str) -> RuleVersion:
    """A draft of its own: what somebody else is writing stays as it is. The same proposal twice is one draft."""
    newest = RuleVersion.objects.filter(rule=rule_id).order_by("-number").first()
    if newest is not None and newest.state == RuleVersion.State.DRAFT and newest.spec == document:
        return newest
    return services.save_draft(actor, rule_id, document, note=note, fresh=True)


@transaction.atomic
def decline(actor: Actor, rule_id: int, pointer: str, reason: str) -> Decision:
    """Not now: the proposal stays away until there are outcomes newer than those it was made from.

    Raises NotFound, Forbidden, Invalid.
    """
    studied, offer = selectors.offer(actor, rule_id, pointer)
    policy.require(actor, services.MANAGE, studied.rule.place)
    if offer.best is None:
        raise Invalid.one("pointer", offer.nothing)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it does not fit now."))
    made = Decision.objects.create(
        rule=studied.rule,
        kind=Decision.Kind.DECLINED,
        pointer=pointer,
        value=offer.best.value,
        newest=Study.objects.values_list("newest", flat=True).get(rule=studied.rule),
        reason=reason.strip()[:300],
        author=actor.label,
    )
    data = {"pointer": pointer, "value": offer.best.value, "reason": made.reason}
    record(actor, Act("rules.decline_proposal", studied.rule, studied.rule.place_id, data=data))
    return made


def recount_one(actor: Actor, rule_id: int) -> None:
    """Have the outcomes of one rule counted again in the background. Raises NotFound, Forbidden."""
    policy.require(actor, services.MANAGE, rules.get(actor, rule_id).place)
    recount(actor, [rule_id])


def recount(actor: Actor, rule_ids: Iterable[int]) -> int:
    """Have the outcomes of these rules counted again in the background; how many that the actor may manage."""
    from shoufu.kernel.rules import tasks

    found = [
        rule
        for rule in rules.visible(actor).filter(pk__in=list(rule_ids))
        if actor.may(services.MANAGE, rule.place.path)
    ]
    with transaction.atomic():
        record_many(actor, [Act("rules.recount", rule, rule.place_id) for rule in found])
        transaction.on_commit(lambda: [tasks.queue_study(rule.pk) for rule in found] and None)
    return len(found)
