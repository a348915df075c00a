from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

CHINA = timezone(timedelta(hours=8))
Provider = Literal["wechat", "alipay"]


def now() -> datetime:
    return datetime.now(UTC)


class Refusal(Exception):
    """What the gateway answers instead: the provider's own code, words and HTTP status."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(f"{code}: {words}")
        self.code, self.words, self.status = code, words, status


@dataclass
class Return:
    """A refund: minor units; `state` is "processing", "success" or "abnormal"."""

    number: str
    refund_no: str
    amount: int
    at: datetime
    state: str = "success"


@dataclass
class Trade:
    """A trade: minor units; `state` is "open", "paid" or "closed"."""

    provider: Provider
    number: str
    title: str
    amount: int
    currency: str
    notify_url: str
    trade_no: str
    expires_at: datetime | None = None
    state: str = "open"
    paid_at: datetime | None = None
    returns: dict[str, Return] = field(default_factory=dict)

    @property
    def refunded(self) -> int:
        return sum(one.amount for one in self.returns.values() if one.state != "abnormal")


@dataclass
class Faults:
    """What goes wrong from now on: each callback `copies` times, after `delay` to `delay` + `spread` seconds (so
    that their order changes), a share `lost` of payments' callbacks never sent, a share `broken` of answers is 500."""

    copies: int = 1
    delay: float = 0.0
    spread: float = 0.0
    lost: float = 0.0
    broken: float = 0.0
    slow_refunds: bool = False


class Book:
    """All trades by number, under one lock; each change is a line of the file, of which the last one counts."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.trades: dict[str, Trade] = {}
        self.faults = Faults()
        self._said: dict[str, Mapping[str, Any]] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            trade = _read(json.loads(line))
            self.trades[trade.number] = trade
        # Numbers are not given twice: no more of them were given than there are lines.
        self._numbers: Iterator[int] = itertools.count(len(lines) + 1)
        self._file = path.open("a", encoding="utf-8")

    def keep(self, trade: Trade) -> Trade:
        """Write down what a trade is now."""
        self._file.write(json.dumps(asdict(trade), default=datetime.isoformat, ensure_ascii=False) + "\n")
        self._file.flush()
        return trade

    def finish(self, number: str, refund: str, state: str) -> tuple[Trade, Return]:
        """End a slow refund."""
        with self.lock:
            trade = self.trades[number]
            trade.returns[refund].state = state
            return self.keep(trade), trade.returns[refund]

    def serial(self, prefix: str) -> str:
        """A number of the provider's own: date and a counter."""
        return f"{prefix}{time.strftime('%Y%m%d', time.gmtime())}{next(self._numbers):012d}"

    def first(self, number: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the callback of this number said the first time: a repetition says the same."""
        with self.lock:
            return self._said.setdefault(number, said)

    def open(self, trade: Trade) -> Trade:
        """A new trade, or the one with this number; Refusal where it was for something else."""
        with self.lock:
            known = self.trades.get(trade.number)
            if known is None:
                self.trades[trade.number] = trade
                return self.keep(trade)
            if (known.amount, known.provider) != (trade.amount, trade.provider):
                raise Refusal("INVALID_REQUEST", "the number was used with other parameters")
            if known.state != "open":
                raise Refusal("ORDERPAID", "the trade is over")
            return known

    def find(self, provider: str, number: str) -> Trade:
        with self.lock:
            found = self.trades.get(number)
            if found is None or found.provider != provider:
                raise Refusal("ORDER_NOT_EXIST", "no such trade", 404)
            return found

    def pay(self, number: str) -> Trade:
        """A payer pays. Refusal where nobody can any more."""
        with self.lock:
            found = self.trades.get(number)
            if found is None:
                raise Refusal("ORDER_NOT_EXIST", "no such trade", 404)
            if found.state != "open" or (found.expires_at is not None and found.expires_at <= now()):
                raise Refusal("ORDER_CLOSED", "nobody can pay this any more")
            found.state, found.paid_at = "paid", now().replace(microsecond=0)
            return self.keep(found)

    def close(self, provider: str, number: str) -> Trade:
        with self.lock:
            found = self.find(provider, number)
            if found.state == "paid":
                raise Refusal("ORDERPAID", "the trade was paid")
            found.state = "closed"
            return self.keep(found)

    def give_back(self, provider: str, trade: str, number: str, amount: int) -> tuple[Trade, Return, bool]:
        """Refund; the last part says whether it is new. Refusal where more than was paid would go back."""
        with self.lock:
            found = self.find(provider, trade)
            known = found.returns.get(number)
            if known is not None:
                if known.amount != amount:
                    raise Refusal("INVALID_REQUEST", "the refund number was used with another amount")
                return found, known, False
            if found.state != "paid":
                raise Refusal("INVALID_REQUEST", "the trade was not paid")
            if amount <= 0 or found.refunded + amount > found.amount:
                raise Refusal("NOT_ENOUGH", "more than was paid", 403)
            state = "processing" if self.faults.slow_refunds else "success"
            moment = now().replace(microsecond=0)
            made = found.returns[number] = Return(number, self.serial("5030"), amount, moment, state)
            return self.keep(found), made, True

    def of_day(self, provider: str, day: str) -> tuple[list[Trade], list[tuple[Trade, Return]]]:
        """What stands on the bill of a day (UTC+8): payments and refunds."""
        with self.lock:
            trades = [one for one in self.trades.values() if one.provider == provider]
            paid = [one for one in trades if one.paid_at and _day(one.paid_at) == day]
            back = [(one, part) for one in trades for part in one.returns.values() if _day(part.at) == day]
            return paid, back


def _read(said: dict[str, Any]) -> Trade:
    for name in ("expires_at", "paid_at"):
        said[name] = datetime.fromisoformat(said[name]) if said[name] else None
    for number, one in said["returns"].items():
        said["returns"][number] = Return(**one | {"at": datetime.fromisoformat(one["at"])})
    return Trade(**said)


def _day(moment: datetime) -> str:
    return moment.astimezone(CHINA).date().isoformat()
