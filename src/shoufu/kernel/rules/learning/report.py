"""Proposals as plain data, for the HTTP interface and the command line."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from shoufu.kernel.rules.learning.selectors import Offer, Studied


def listed(found: Sequence[Studied]) -> list[dict[str, Any]]:
    """JSON-ready but for the times."""
    return [
        {
            "rule": one.rule.pk,
            "code": one.rule.code,
            "name": one.rule.name,
            "version": one.live.number,
            "since": one.since,
            "made_at": one.made_at,
            "true": one.counts.get("true", 0),
            "false_alarms": one.counts.get("false_alarm", 0),
            "open": one.counts.get("open", 0),
            "offers": [_offer(offer) for offer in one.offers],
        }
        for one in found
    ]


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "pointer": offer.pointer,
        "name": offer.name,
        "current": offer.current,
        "best": asdict(offer.best) if offer.best else None,
        "choices": [asdict(choice) for choice in offer.choices],
        "true": offer.counts["true"],
        "false_alarms": offer.counts["false_alarm"],
        "open": offer.counts["open"],
        "unknown": offer.counts["unknown"],
        "risk": round(offer.risk, 3),
        "words": f"{offer.name}: {offer.headline}. {offer.effect}" if offer.best else f"{offer.name}: {offer.effect}",
        "state": _state(offer),
    }


def _state(offer: Offer) -> str:
    if offer.best is None:
        return "nothing"
    if offer.away:
        return "declined"
    return "tried" if offer.tried else "proposed"
