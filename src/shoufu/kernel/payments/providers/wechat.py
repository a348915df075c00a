import csv
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from shoufu.engines.paysign import wechat as signing
from shoufu.kernel.base.errors import Invalid, Problem
from shoufu.kernel.payments import money
from shoufu.kernel.payments.providers.base import (
    Answer,
    BillLine,
    Fact,
    NotGenuine,
    Notification,
    Refused,
    Return,
    State,
    Trade,
    Unreachable,
)
from shoufu.kernel.payments.providers.config import WechatConfig

FRESH = timedelta(minutes=5)
SECONDS = 10.0
CHINA = timezone(timedelta(hours=8))
UNKNOWN = ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS")
PAID: Mapping[str, State] = {
    "SUCCESS": "success",
    "REFUND": "success",
    "NOTPAY": "pending",
    "USERPAYING": "pending",
    "CLOSED": "closed",
    "REVOKED": "closed",
    "PAYERROR": "failed",
}
RETURNED: Mapping[str, State] = {
    "SUCCESS": "success",
    "PROCESSING": "pending",
    "CLOSED": "failed",
    "ABNORMAL": "failed",
}
EVENTS = ("TRANSACTION.SUCCESS", "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED")


class WechatPay:
    """WeChat Pay API v3, Native payments (a QR code)."""

    code = "wechat"
    online = True

    def __init__(self, config: WechatConfig) -> None:
        self._config = config

    def start(self, trade: Trade) -> str:
        body: dict[str, Any] = {
            "appid": self._config.appid,
            "mchid": self._config.mchid,
            "description": trade.title[:127],
            "out_trade_no": trade.number,
            "notify_url": self._config.notify_url,
            "amount": {"total": trade.amount, "currency": trade.currency},
        }
        if trade.expires_at is not None:
            body["time_expire"] = trade.expires_at.astimezone(CHINA).isoformat(timespec="seconds")
        return str(self._ask("POST", "/v3/pay/transactions/native", body)["code_url"])

    def query(self, number: str) -> Fact | None:
        path = f"/v3/pay/transactions/out-trade-no/{quote(number)}?mchid={self._config.mchid}"
        try:
            return _payment(self._ask("GET", path))
        except Refused as refusal:
            if refusal.code in UNKNOWN:
                return None
            raise

    def close(self, number: str) -> None:
        path = f"/v3/pay/transactions/out-trade-no/{quote(number)}/close"
        self._ask("POST", path, {"mchid": self._config.mchid})

    def refund(self, wanted: Return) -> Fact:
        body = {
            "out_trade_no": wanted.trade,
            "out_refund_no": wanted.number,
            "reason": wanted.reason[:80],
            "notify_url": self._config.notify_url,
            "amount": {"refund": wanted.amount, "total": wanted.total, "currency": wanted.currency},
        }
        return _refund(self._ask("POST", "/v3/refund/domestic/refunds", body), self._config.mchid)

    def query_refund(self, trade: str, number: str) -> Fact | None:
        try:
            found = self._ask("GET", f"/v3/refund/domestic/refunds/{quote(number)}")
        except Refused as refusal:
            if refusal.code in UNKNOWN:
                return None
            raise
        return _refund(found, self._config.mchid)

    def bill(self, day: date) -> Sequence[BillLine]:
        try:
            found = self._ask("GET", f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL")
        except Refused as refusal:
            if refusal.code == "NO_STATEMENT_EXIST":
                return []
            raise
        split = urlsplit(str(found["download_url"]))
        target = f"{split.path}?{split.query}" if split.query else split.path
        answer = self._send("GET", f"{split.scheme}://{split.netloc}", target, "")
        if answer.status_code != 200:
            raise Unreachable(f"the bill of {day} could not be downloaded ({answer.status_code})")
        if hashlib.sha1(answer.content, usedforsecurity=False).hexdigest() != str(found["hash_value"]).lower():
            raise Unreachable(f"the bill of {day} is not whole")
        return read_bill(answer.content.decode("utf-8-sig"))

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        signed_at = self._verified(body, headers, now)
        try:
            outer = json.loads(body)
            resource = outer["resource"]
            if outer["event_type"] not in EVENTS or resource["algorithm"] != signing.ALGORITHM:
                raise NotGenuine(f"an event {str(outer['event_type'])[:40]!r} that is not ours to take")
            plain = signing.open_resource(
                self._config.api_key, resource["nonce"], resource.get("associated_data", ""), resource["ciphertext"]
            )
            inner = json.loads(plain)
            refund = str(outer["event_type"]).startswith("REFUND.")
            fact = _refund(inner, "") if refund else _payment(inner)
            return Notification(str(outer["id"])[:128], signed_at, fact)
        except (signing.CannotOpen, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotGenuine(f"the envelope cannot be opened: {error}") from error

    def answer(self, problem: Problem | None) -> Answer:
        if problem is None:
            return Answer(200, "application/json", json.dumps({"code": "SUCCESS", "message": "成功"}))
        words = {"code": "FAIL", "message": problem.detail or problem.title}
        return Answer(problem.status, "application/json", json.dumps(words, ensure_ascii=False))

    def _verified(self, body: bytes, headers: Mapping[str, str], now: datetime) -> datetime:
        stamp, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
        key = self._config.platform.get(headers.get("Wechatpay-Serial", ""))
        if key is None or not stamp.isdigit() or len(stamp) > 12:
            raise NotGenuine("unknown serial or no timestamp")
        if not signing.verify_answer(key, stamp, nonce, body, headers.get("Wechatpay-Signature", "")):
            raise NotGenuine("wrong signature")
        signed_at = datetime.fromtimestamp(int(stamp), UTC)
        if abs(now - signed_at) > FRESH:
            raise NotGenuine("signed more than five minutes ago")
        return signed_at

    def _ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        text = json.dumps(body, ensure_ascii=False) if body is not None else ""
        answer = self._send(method, self._config.base_url, target, text)
        try:
            # An error may come from something in between; its words change nothing here.
            found = answer.json() if answer.content else {}
            if answer.status_code >= 500 or answer.status_code == 429:
                # By the documentation: ask again with the same number.
                raise Unreachable(f"HTTP {answer.status_code} {found.get('code', '')}")
            if answer.status_code >= 400:
                raise Refused(str(found.get("code", answer.status_code)), str(found.get("message", "")))
            self._verified(answer.content, answer.headers, datetime.now(UTC))
        except NotGenuine as error:
            raise Unreachable(f"the answer is not signed by the platform: {error.why}") from error
        except (ValueError, AttributeError) as error:
            raise Unreachable(f"HTTP {answer.status_code} without JSON") from error
        return found  # type: ignore[no-any-return]

    def _send(self, method: str, base: str, target: str, text: str) -> httpx.Response:
        nonce, stamp = secrets.token_hex(16), str(int(datetime.now(UTC).timestamp()))
        header = signing.authorization(
            self._config.private_key,
            mchid=self._config.mchid,
            serial=self._config.serial,
            method=method,
            target=target,
            timestamp=stamp,
            nonce=nonce,
            body=text,
        )
        headers = {"Authorization": header, "Accept": "application/json", "User-Agent": "shoufu"}
        if text:
            headers["Content-Type"] = "application/json"
        try:
            return httpx.request(method, base + target, content=text.encode(), headers=headers, timeout=SECONDS)
        except httpx.HTTPError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error


def _payment(said: Mapping[str, Any]) -> Fact:
    amount = said.get("amount") or {}
    return Fact(
        "pay",
        str(said["out_trade_no"])[:64],
        PAID.get(str(said["trade_state"]), "pending"),
        str(said["mchid"]),
        str(said.get("appid", "")),
        int(amount["total"]) if "total" in amount else None,
        str(amount.get("currency", "CNY")),
        str(said.get("transaction_id", "")),
        _moment(said.get("success_time")),
    )


def _refund(said: Mapping[str, Any], merchant: str) -> Fact:
    amount = said["amount"]
    status = str(said.get("refund_status") or said["status"])
    return Fact(
        "refund",
        str(said["out_trade_no"])[:64],
        RETURNED.get(status, "pending"),
        str(said.get("mchid") or merchant),
        amount=int(amount["total"]),
        currency=str(amount.get("currency", "CNY")),
        trade_no=str(said.get("transaction_id", "")),
        at=_moment(said.get("success_time") or said.get("create_time")),
        refund=str(said["out_refund_no"])[:64],
        refund_no=str(said.get("refund_id", "")),
        refund_amount=int(amount["refund"]),
    )


def _moment(text: Any) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def read_bill(text: str) -> list[BillLine]:
    """The detail lines of a trade bill of type ALL: every cell has a backtick in front; the last two lines are sums."""
    rows = [[cell.lstrip("`").strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    if len(rows) < 3:
        return []
    heads = rows[0]
    found = []
    for row in rows[1:]:
        if row[0].startswith("总交易单数"):
            break
        cells = dict(zip(heads, row, strict=False))
        try:
            found.append(_line(cells))
        except (KeyError, Invalid) as error:
            raise Unreachable(f"the bill has a line that cannot be read: {error}") from error
    return found


def _line(cells: Mapping[str, str]) -> BillLine:
    if cells["交易状态"] == "REFUND" or cells["商户退款单号"] not in ("", "0"):
        amount = money.minor(cells["申请退款金额"])
        state = RETURNED.get(cells["退款状态"], "pending")
        return BillLine("refund", cells["商户订单号"], amount, state, cells["微信订单号"], cells["商户退款单号"])
    return BillLine("pay", cells["商户订单号"], money.minor(cells["订单金额"]), "success", cells["微信订单号"])
