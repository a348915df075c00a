from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Problem

State = Literal["success", "pending", "closed", "failed"]


class Refused(Problem):
    """The provider answered that it will not do it: `code` and words are theirs (502)."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(_("The payment provider refused"), f"{code}: {words}"[:300], 502, "provider")
        self.code = code


class Unreachable(Problem):
    """The provider did not answer, or not as itself; what was asked may or may not have been done (502)."""

    def __init__(self, words: str) -> None:
        super().__init__(_("The payment provider does not answer"), words[:300], 502, "provider")


class NotConfigured(Problem):
    """This provider has no merchant account here (409)."""

    def __init__(self, code: str) -> None:
        name = {"wechat": "SHOUFU_WECHATPAY", "alipay": "SHOUFU_ALIPAY"}.get(code, code)
        detail = _("Set %(name)s to its settings file.") % {"name": name}
        super().__init__(_("This provider is not set up"), detail, 409, "provider")


class BadConfig(Problem):
    """A settings file that cannot be used (409); the message names the file, the field and the fix, never a secret."""

    def __init__(self, words: str) -> None:
        super().__init__(_("The settings of the payment provider are wrong"), words, 409, "provider")


class NotGenuine(Problem):
    """A callback whose signature, age, or envelope is wrong (401). Which part it was is logged, not told."""

    def __init__(self, why: str) -> None:
        detail = _("The signature is missing, wrong, or older than five minutes.")
        super().__init__(_("Not accepted"), detail, 401, "signature")
        self.why = why


@dataclass(frozen=True)
class Fact:
    """What a provider says about a payment or a refund. Amounts are minor units; `merchant` and `app` are for whom.

    A refund is found by `refund` (our number); `refunded_total` is what was refunded of the payment in all, where the
    provider says that instead of the single amount.
    """

    kind: Literal["pay", "refund"]
    trade: str
    state: State
    merchant: str
    app: str = ""
    amount: int | None = None
    currency: str = "CNY"
    trade_no: str = ""
    at: datetime | None = None
    refund: str = ""
    refund_no: str = ""
    refund_amount: int | None = None
    refunded_total: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat() if self.at else None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fact":
        at = values.get("at")
        return cls(**dict(values) | {"at": datetime.fromisoformat(at) if at else None})


@dataclass(frozen=True)
class Notification:
    """A genuine callback: the provider's number for it, when it was signed (aware), and what it says."""

    identifier: str
    signed_at: datetime
    fact: Fact


@dataclass(frozen=True)
class Trade:
    """What a provider is asked to collect: `amount` in minor units, until `expires_at` (aware)."""

    number: str
    title: str
    amount: int
    currency: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Return:
    """What a provider is asked to pay back: `amount` of `total`, minor units."""

    trade: str
    number: str
    amount: int
    total: int
    currency: str
    reason: str


@dataclass(frozen=True)
class BillLine:
    """A line of a provider's daily bill; `amount` is above zero for payments and refunds alike."""

    kind: Literal["pay", "refund"]
    trade: str
    amount: int
    state: State
    trade_no: str = ""
    refund: str = ""


@dataclass(frozen=True)
class Answer:
    """What a provider wants to read after its callback."""

    status: int
    content_type: str
    body: str


class Adapter(Protocol):
    """One provider. Every call but the last two goes over the network and may raise Refused or Unreachable."""

    code: str
    online: bool

    def start(self, trade: Trade) -> str:
        """Ask for a payment; the address behind the QR code. The same number again gives the same trade."""

    def query(self, number: str) -> Fact | None:
        """What became of a payment; None where the provider knows no such number."""

    def close(self, number: str) -> None:
        """Let nobody pay this any more."""

    def refund(self, wanted: Return) -> Fact:
        """Pay back. The same number again is the same refund."""

    def query_refund(self, trade: str, number: str) -> Fact | None:
        """What became of a refund; None where the provider knows no such number."""

    def bill(self, day: date) -> Sequence[BillLine]:
        """The bill of a day by the provider's clock (UTC+8); empty where nothing happened."""

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        """The genuine callback in a request. NotGenuine otherwise, also when it is older than five minutes."""

    def answer(self, problem: Problem | None) -> Answer:
        """What to tell the provider: done, or why not (it will try again)."""
