"""Callbacks of providers: genuine, fresh, once, and whole or not at all."""

import hashlib
import json
import logging
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound, Problem
from shoufu.kernel.payments import providers
from shoufu.kernel.payments.models import ProviderEvent
from shoufu.kernel.payments.providers import Answer, NotGenuine, Notification
from shoufu.kernel.payments.services.applying import apply_fact

log = logging.getLogger(__name__)
LARGEST = 64 * 1024
Outcome = ProviderEvent.Outcome


def take_callback(provider: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Take in a callback and say to the provider, in its own words, whether it may stop repeating it.

    Everything is one transaction: killed anywhere between, nothing of it is there, and the provider's repetition does
    it. A refusal (wrong signature, older than five minutes, unknown order, other amount) is answered as such.
    """
    adapter = providers.adapter(provider)
    problem: Problem | None = None
    try:
        if len(body) > LARGEST:
            raise Invalid.one("body", _("At most %(most)s KiB.") % {"most": LARGEST // 1024})
        _take(provider, adapter.read_callback(body, headers, timezone.now()))
    except NotGenuine as refusal:
        log.warning("callback of %s refused: %s", provider, refusal.why)
        problem = refusal
    except (NotFound, Conflict, Invalid) as refusal:
        problem = refusal
    return adapter.answer(problem)


def _take(provider: str, said: Notification) -> None:
    try:
        with transaction.atomic():
            outcome = _book(provider, said)
    except IntegrityError:
        # The same one by two ways at once: the other was first, and this one finds its row.
        with transaction.atomic():
            outcome = _book(provider, said)
    if outcome == Outcome.UNKNOWN_ORDER:
        raise NotFound(_("There is no order with the number %(number)s.") % {"number": said.fact.trade})
    if outcome == Outcome.MISMATCH:
        raise Conflict(_("Merchant, amount, currency or trade do not agree with the order; a person will look at it."))


def _book(provider: str, said: Notification) -> str:
    values = said.fact.as_dict()
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
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
            fact=values,
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
    known.outcome = apply_fact(provider, said.fact)
    known.save(update_fields=["outcome", "times"])
    return known.outcome
