"""``shoufu drill payments``: callbacks of the test gateway, right and wrong, against the real pages and database."""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog

from shoufu.runtime import env
from shoufu.runtime.bench import stage
from shoufu.runtime.drill.payments.gateway import Hand, running
from shoufu.runtime.drill.payments.web import STEPS, Web, kill_between
from shoufu.runtime.errors import Problem

log = structlog.get_logger("drill")
PROVIDERS = ("wechat", "alipay")
EACH = 10
"""Callbacks an order sets off at least, forged ones among them: so many orders are made for the callbacks asked for."""
FORGED: Mapping[str, int] = {
    "signature": 401,
    "tampered": 401,
    "old": 401,
    "amount": 409,
    "merchant": 409,
    "unknown": 404,
}
"""What each fault must be answered with."""
KILLS = 4
DRAIN_SECONDS = 180.0


class Figures(msgspec.Struct):
    """The result. ``callbacks``: sent and answered; ``wrong_entries``: journals that do not sum to zero, orders that do
    not agree with the books or with the gateway, forged callbacks that were not refused as they should be;
    ``reconciliation_difference``: minor units between bill and books; ``double_credits``: orders credited twice."""

    callbacks: int
    wrong_entries: int
    reconciliation_difference: int
    double_credits: int


@dataclass
class Sold:
    """An order of the drill: what it should end as."""

    order: int
    number: str
    provider: str
    paid: bool = False
    back: int = 0
    parts: list[str] = field(default_factory=list)


@dataclass
class Tally:
    callbacks: int = 0
    wrong: list[str] = field(default_factory=list)


def run(callbacks: int, seed: int | None) -> Figures:
    """Start database, broker, edge, pages and the gateway in a temporary directory; sell, break, kill, and compare."""
    with tempfile.TemporaryDirectory(prefix="shoufu-payments-") as name:
        folder = Path(name)
        (port,) = stage.free_ports(1)
        (folder / "installation").mkdir()
        stage.use(folder / "installation")
        from shoufu.runtime.paygateway import keys

        shop = f"http://127.0.0.1:{env.get('SHOUFU_PORT')}"
        keys.make(folder / "gateway", f"http://127.0.0.1:{port}", shop)
        os.environ |= keys.environment(folder / "gateway")
        with (
            stage.stage(folder / "installation") as place,
            running(folder / "gateway", port, shop, folder / "gateway.log") as hand,
        ):
            return _drill(place, hand, callbacks, random.Random(seed))


def _drill(place: stage.Stage, hand: Hand, callbacks: int, chance: random.Random) -> Figures:
    tally = Tally()
    web = Web(place.root / "logs" / "web.log")
    web.start()
    try:
        sold = _sell(max(4, -(-callbacks // EACH)), chance)
        hand.do("faults", copies=3, spread=1.5, lost=0.1)
        dealer = Dealer(hand, sold, tally, chance)
        dealer.start()
        caught = sum(kill_between(web, place.dsn, STEPS[number % len(STEPS)]) for number in range(KILLS))
        dealer.finish()
        _settle(hand)
        _replay(hand, sold, tally, callbacks, chance)
        log.info("killed", times=web.kills, inside_a_booking=caught)
        if not caught:
            raise Problem("No kill met a callback between its steps; the drill says nothing. Ask for more callbacks.")
        state = _settle(hand)
        return _count(sold, state, tally)
    finally:
        web.stop()


class Dealer(threading.Thread):
    """Lets payers pay and forges callbacks until the last kill is over; all orders have had their turn then."""

    def __init__(self, hand: Hand, sold: Sequence[Sold], tally: Tally, chance: random.Random) -> None:
        super().__init__(name="dealer", daemon=True)
        self._about = (hand, sold, tally, chance)
        self._enough = threading.Event()
        self._error: Exception | None = None

    def run(self) -> None:
        from django.db import connections

        try:
            _deal(*self._about)
            while not self._enough.is_set():
                _more(*self._about)
        except (Problem, OSError, httpx.HTTPError) as error:
            self._error = error
        finally:
            connections.close_all()

    def finish(self) -> None:
        """Wait for its end; what went wrong in it is raised here."""
        self._enough.set()
        self.join()
        if self._error is not None:
            raise Problem(f"The drill could not go on: {self._error}")


def _sell(count: int, chance: random.Random) -> list[Sold]:
    """Orders that are to be paid, half with each provider."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties.models import Organisation
    from shoufu.kernel.payments import services
    from shoufu.kernel.places import services as places
    from shoufu.kernel.places.services import PlaceDraft

    root = places.create(SYSTEM, PlaceDraft("district", "drill", "演练区"))
    clinic = Organisation.objects.create(code="drill", kind="medical", name="演练护理站", place=root)
    sold = []
    for number in range(count):
        lines = [services.LineDraft("换药", chance.randint(100, 50_000), insurance_minor=chance.randint(0, 50))]
        order = services.create_order(SYSTEM, services.OrderDraft(root.pk, clinic.pk, f"演练 {number}", lines))
        provider = PROVIDERS[number % 2]
        payment = services.start_payment(SYSTEM, order.pk, provider)
        sold.append(Sold(order.pk, payment.number, provider))
    return sold


def _deal(hand: Hand, sold: Sequence[Sold], tally: Tally, chance: random.Random) -> None:
    """Forged callbacks for what is not paid, then payments, some refunded in the provider's portal in the same breath:
    their callbacks come in any order."""
    for one in sold:
        for fault in chance.sample(sorted(FORGED), 3):
            _forge(hand, one, fault, tally)
        if chance.random() < 0.1:
            continue
        hand.do("pay", number=one.number)
        one.paid = True
        if chance.random() < 0.4:
            _refund(hand, one, chance)


def _refund(hand: Hand, one: Sold, chance: random.Random) -> None:
    from shoufu.kernel.payments.models import Payment

    left = Payment.objects.get(number=one.number).amount_minor - one.back
    amount = left if chance.random() < 0.3 else chance.randint(1, left) if left else 0
    if amount:
        part = f"{one.number}X{len(one.parts)}"
        hand.do("refund", number=one.number, refund=part, amount=amount)
        one.parts.append(part)
        one.back += amount


def _forge(hand: Hand, one: Sold, fault: str, tally: Tally) -> None:
    """Send one that must be refused; while the server is down (no answer, or the edge's) it is sent again."""
    for _attempt in range(100):
        status = int(hand.do("send", number=one.number, fault=fault)["status"])
        if status not in (0, 502, 503, 504):
            break
        time.sleep(0.2)
    tally.callbacks += 1
    if status != FORGED[fault]:
        tally.wrong.append(f"{one.number}: {fault} was answered {status}")


def _more(hand: Hand, sold: Sequence[Sold], tally: Tally, chance: random.Random) -> None:
    """Traffic for the next kill: genuine callbacks again, and refunds of what is paid."""
    one = chance.choice(sold)
    if one.paid and chance.random() < 0.5:
        _refund(hand, one, chance)
    elif one.paid:
        hand.do("send", number=one.number)
        tally.callbacks += 1
    else:
        _forge(hand, one, chance.choice(sorted(FORGED)), tally)


def _replay(hand: Hand, sold: Sequence[Sold], tally: Tally, wanted: int, chance: random.Random) -> None:
    """Repeat what was taken, fresh and old, until as many callbacks were sent as asked for."""
    paid = [one for one in sold if one.paid]
    while _sent(hand, tally) < wanted:
        one = chance.choice(paid)
        refund = chance.choice(["", *one.parts])
        fault = chance.choice(["", "old", "signature"])
        status = int(hand.do("send", number=one.number, refund=refund, fault=fault)["status"])
        tally.callbacks += 1
        if status != (401 if fault else 200):
            tally.wrong.append(f"{one.number}: a repetition ({fault or 'fresh'}) was answered {status}")


def _sent(hand: Hand, tally: Tally) -> int:
    state = hand.do("state")
    return tally.callbacks + int(state["taken"]) + int(state["refused"]) + int(state["given_up"])


def _settle(hand: Hand) -> Mapping[str, Any]:
    """Wait until the gateway has nothing more to say."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        state = hand.do("state")
        if not state["waiting"]:
            return state
        time.sleep(0.2)
    raise Problem("The gateway's callbacks were not taken in time; see web.log of the drill.")


def _count(sold: Sequence[Sold], state: Mapping[str, Any], tally: Tally) -> Figures:
    from shoufu.runtime.drill.payments.audit import differences, double_credits, wrong_books

    off = differences()
    wrong = [*tally.wrong, *wrong_books(sold, state)]
    for line in wrong:
        log.error("wrong", what=line)
    sent = tally.callbacks + int(state["taken"]) + int(state["refused"]) + int(state["given_up"])
    return Figures(sent, len(wrong), off, double_credits())
