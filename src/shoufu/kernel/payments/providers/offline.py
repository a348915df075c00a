from collections.abc import Mapping, Sequence
from datetime import date, datetime

from shoufu.kernel.base.errors import Problem
from shoufu.kernel.payments.providers.base import Answer, BillLine, Fact, NotGenuine, Notification, Return, Trade


class Offline:
    """Cash at the counter or a bank transfer: nobody to ask, a person confirms what came and what went."""

    code = "offline"
    online = False

    def start(self, trade: Trade) -> str:
        return ""

    def query(self, number: str) -> Fact | None:
        return None

    def close(self, number: str) -> None:
        return

    def refund(self, wanted: Return) -> Fact:
        return Fact("refund", wanted.trade, "pending", "", refund=wanted.number)

    def query_refund(self, trade: str, number: str) -> Fact | None:
        return None

    def bill(self, day: date) -> Sequence[BillLine]:
        return []

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        raise NotGenuine("nobody calls back for cash")

    def answer(self, problem: Problem | None) -> Answer:
        return Answer(problem.status if problem else 200, "text/plain", "")
