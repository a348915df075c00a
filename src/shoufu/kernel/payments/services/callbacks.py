"""Callbacks of providers: genuine, fresh, once, and whole or not at all."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound, Problem
from shoufu.kernel.payments import providers
from shoufu.kernel.payments.models import Payment, ProviderEvent, Refund
from shoufu.kernel.payments.providers import Adapter, Answer, BadConfig, Fact, NotConfigured, NotGenuine, Notification
from shoufu.kernel.payments.services.applying import apply_fact

log = logging.getLogger(__name__)
LARGEST = 64 * 1024
Outcome = ProviderEvent.Outcome


def take_callback(provider: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Take in a callback and say to the provider, in its own words, whether it may stop repeating it.

    Everything is one transaction: killed anywhere between, nothing of it is there, and the provider's repetition does
    it. A refusal (wrong signature, older than five minutes, unknown order, other amount) is answered as such.
    """
    adapter = _adapter(provider)
    problem: Problem | None = None
    try:
        if len(body) > LARGEST:
            raise Invalid.one("body", _("At most %(most)s KiB.") % {"most": LARGEST // 1024})
        said = adapter.read_callback(body, headers, timezone.now())
        _take(provider, said, _completed(adapter, said.fact))
    except NotGenuine as refusal:
        log.warning("callback of %s refused: %s", provider, refusal.why)
        problem = refusal
    except Problem as refusal:
        problem = refusal
    return adapter.answer(problem)


def _adapter(provider: str) -> Adapter:
    """The provider's adapter. Anybody may ask here: what is wrong with its settings is for the log only."""
    try:
        return providers.adapter(provider)
    except (NotConfigured, BadConfig) as error:
        log.error("callback of %s cannot be read: %s", provider, error)
        raise NotFound(provider) from error


def _completed(adapter: Adapter, fact: Fact) -> Fact:
    """The fact with the refund's own amount: of refunds made in the provider's portal Alipay tells the sum of all so
    far, and they may come in any order. Asked before the transaction; where nobody answers it is repeated later."""
    if fact.kind != "refund" or fact.refund_amount is not None or Refund.objects.filter(number=fact.refund).exists():
        return fact
    if not Payment.objects.filter(number=fact.trade).exists():
        return fact
    found = adapter.query_refund(fact.trade, fact.refund)
    if found is None:
        raise Conflict(_("The provider does not know this refund when asked."))
    return replace(fact, refund_amount=found.refund_amount)


def _take(provider: str, said: Notification, fact: Fact) -> None:
    try:
        with transaction.atomic():
            outcome = _book(provider, said, fact)
    except IntegrityError:
        # The same one by two ways at once: the other was first, and this one finds its row.
        with transaction.atomic():
            outcome = _book(provider, said, fact)
    if outcome == Outcome.UNKNOWN_ORDER:
        raise NotFound(_("There is no order with the number %(number)s.") % {"number": said.fact.trade})
    if outcome == Outcome.MISMATCH:
        raise Conflict(_("Merchant, amount, currency or trade do not agree with the order; a person will look at it."))


def _book(provider: str, said: Notification, fact: Fact) -> str:
    digest = hashlib.sha256(json.dumps(said.fact.as_dict(), sort_keys=True).encode()).hexdigest()
    rows = ProviderEvent.objects.select_for_update().filter(provider=provider, identifier=said.identifier)
    known = rows.first()
    if known is None:
        known = ProviderEvent(
            provider=provider,
            identifier=said.identifier,
            digest=digest,
            received_at=timezone.now(),
            signed_at=said.signed_at,
            trade=said.fact.trade,
            fact=fact.as_dict(),
            outcome=Outcome.NOTED,
        )
        # First of all, so that the same number at the same time waits here for the other's end.
        known.save(force_insert=True)
    else:
        if known.digest != digest:
            raise Conflict(_("This notification's number came before with other words."))
        known.times += 1
        if known.outcome in ProviderEvent.FINAL:
            known.save(update_fields=["times"])
            return known.outcome
    known.outcome = apply_fact(provider, fact)
    known.save(update_fields=["outcome", "times"])
    return known.outcome
