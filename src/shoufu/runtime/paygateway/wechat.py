from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shoufu.engines.paysign import wechat as signing
from shoufu.runtime.paygateway import bills
from shoufu.runtime.paygateway.callbacks import Courier, Message
from shoufu.runtime.paygateway.keys import APPID, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, Keys
from shoufu.runtime.paygateway.state import CHINA, Book, Refusal, Return, Trade, now

FRESH = timedelta(minutes=5)
STATES = {"open": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED"}
RETURNED = {"success": "SUCCESS", "processing": "PROCESSING", "abnormal": "ABNORMAL"}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Wechat:
    """The side of WeChat Pay: requests under /v3, and the callbacks."""

    def __init__(self, keys: Keys, book: Book, courier: Courier, origin: str) -> None:
        self._keys, self._book, self._courier, self._origin = keys, book, courier, origin

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a signed request of the merchant."""
        try:
            self._check(method, target, headers, body)
            said = json.loads(body) if body else {}
            split = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            return self._route(method, split.path, query, said)
        except Refusal as refusal:
            return self._signed(refusal.status, {"code": refusal.code, "message": refusal.words})
        except (KeyError, TypeError, ValueError) as error:
            return self._signed(400, {"code": "PARAM_ERROR", "message": f"{type(error).__name__}: {error}"})

    def _check(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        parts = signing.read_authorization(headers.get("Authorization", ""))
        stamp = parts.get("timestamp", "")
        fresh = stamp.isdigit() and abs(now().timestamp() - int(stamp)) <= FRESH.total_seconds()
        right = (parts.get("mchid"), parts.get("serial_no")) == (MCHID, MERCHANT_SERIAL)
        if not fresh or not right or not signing.verify_request(
            self._keys.merchant, method, target, stamp, parts.get("nonce_str", ""), body.decode(),
            parts.get("signature", ""),
        ):  # fmt: skip
            raise Refusal("SIGN_ERROR", "the signature is wrong", 401)

    def _route(self, method: str, path: str, query: Mapping[str, str], said: Any) -> Reply:
        steps = [unquote(step) for step in path.strip("/").split("/")]
        match (method, *steps):
            case ("POST", "v3", "pay", "transactions", "native"):
                return self._signed(200, {"code_url": f"{self._origin}/payer/{self._open(said).trade_no}"})
            case ("GET", "v3", "pay", "transactions", "out-trade-no", number):
                return self._signed(200, payment(self._book.find("wechat", number)))
            case ("POST", "v3", "pay", "transactions", "out-trade-no", number, "close"):
                self._book.close("wechat", number)
                return self._signed(204, None)
            case ("POST", "v3", "refund", "domestic", "refunds"):
                return self._refund(said)
            case ("GET", "v3", "refund", "domestic", "refunds", number):
                return self._signed(200, refund(*self._returned(number)))
            case ("GET", "v3", "bill", "tradebill"):
                return self._bill(query["bill_date"])
            case ("GET", "v3", "billdownload", "file"):
                return Reply(200, self._bill_text(query["token"]), {"Content-Type": "text/plain"})
        raise Refusal("NOT_FOUND", "no such address", 404)

    def _open(self, said: Mapping[str, Any]) -> Trade:
        if (said["mchid"], said["appid"]) != (MCHID, APPID):
            raise Refusal("APPID_MCHID_NOT_MATCH", "another merchant")
        expires = said.get("time_expire")
        return self._book.open(
            Trade(
                "wechat", str(said["out_trade_no"]), str(said["description"]), int(said["amount"]["total"]),
                str(said["amount"].get("currency", "CNY")), str(said["notify_url"]), self._book.serial("4200"),
                datetime.fromisoformat(expires) if expires else None,
            )
        )  # fmt: skip

    def _refund(self, said: Mapping[str, Any]) -> Reply:
        amount = said["amount"]
        trade = self._book.find("wechat", str(said["out_trade_no"]))
        if int(amount["total"]) != trade.amount:
            raise Refusal("PARAM_ERROR", "the total is another one")
        found, made, new = self._book.give_back(
            "wechat", trade.number, str(said["out_refund_no"]), int(amount["refund"])
        )
        if new:
            self._courier.send(self.message(found, made))
        return self._signed(200, refund(found, made))

    def _returned(self, number: str) -> tuple[Trade, Return]:
        with self._book.lock:
            for trade in self._book.trades.values():
                if trade.provider == "wechat" and number in trade.returns:
                    return trade, trade.returns[number]
        raise Refusal("RESOURCE_NOT_EXISTS", "no such refund", 404)

    def _bill_text(self, day: str) -> bytes:
        return bills.wechat(*self._book.of_day("wechat", day)).encode()

    def _bill(self, day: str) -> Reply:
        paid, back = self._book.of_day("wechat", day)
        if not paid and not back:
            raise Refusal("NO_STATEMENT_EXIST", "nothing on that day")
        digest = hashlib.sha1(self._bill_text(day), usedforsecurity=False).hexdigest()
        url = f"{self._origin}/v3/billdownload/file?token={day}"
        return self._signed(200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    def _signed(self, status: int, said: Any) -> Reply:
        body = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        return Reply(status, body, {"Content-Type": "application/json", **self._signature(body, now())})

    def _signature(self, body: bytes, at: datetime, key: Any = None) -> dict[str, str]:
        stamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
        return {
            "Wechatpay-Serial": PLATFORM_SERIAL,
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signing.sign_answer(key or self._keys.platform, stamp, nonce, body),
        }

    def message(self, trade: Trade, part: Return | None = None, *, keep: bool = True) -> Message:
        """The callback about a payment or refund, signed anew at each sending; with `keep`
        its number says the same for ever."""
        kind = f"REFUND.{RETURNED[part.state]}" if part else "TRANSACTION.SUCCESS"
        inner = returned(trade, part) if part else payment(trade)
        number = f"EV-{part.refund_no if part else trade.trade_no}-{part.state if part else 'paid'}"
        inner = dict(self._book.first(number, inner)) if keep else inner
        return Message(
            trade.notify_url, number, inner, lambda said, at, stranger: self.seal(kind, number, said, at, stranger)
        )

    def seal(
        self, kind: str, number: str, said: Mapping[str, Any], at: datetime, stranger: bool
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a callback; `stranger` signs with a key that is not the platform's."""
        nonce = secrets.token_hex(6)
        associated = "refund" if kind.startswith("REFUND") else "transaction"
        sealed = signing.seal_resource(
            self._keys.api_key, nonce, associated, json.dumps(said, ensure_ascii=False).encode()
        )
        outer = {
            "id": number,
            "create_time": at.astimezone(CHINA).isoformat(timespec="seconds"),
            "resource_type": "encrypt-resource",
            "event_type": kind,
            "summary": "退款成功" if associated == "refund" else "支付成功",
            "resource": {
                "original_type": associated,
                "algorithm": signing.ALGORITHM,
                "ciphertext": sealed,
                "associated_data": associated,
                "nonce": nonce,
            },
        }
        body = json.dumps(outer, ensure_ascii=False).encode()
        key = self._keys.stranger if stranger else self._keys.platform
        return body, {"Content-Type": "application/json", **self._signature(body, at, key)}


def _written(moment: datetime | None) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="seconds") if moment else ""


def payment(trade: Trade) -> dict[str, Any]:
    """A payment as WeChat tells of it."""
    said: dict[str, Any] = {
        "appid": APPID,
        "mchid": MCHID,
        "out_trade_no": trade.number,
        "trade_state": "REFUND" if trade.returns else STATES[trade.state],
        "trade_state_desc": "",
        "amount": {"total": trade.amount, "currency": trade.currency},
    }
    if trade.paid_at is not None:
        said |= {
            "transaction_id": trade.trade_no,
            "trade_type": "NATIVE",
            "bank_type": "OTHERS",
            "success_time": _written(trade.paid_at),
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        }
        said["amount"] |= {"payer_total": trade.amount, "payer_currency": trade.currency}
    return said


def refund(trade: Trade, part: Return) -> dict[str, Any]:
    """A refund as an answer tells of it."""
    said = {
        "refund_id": part.refund_no,
        "out_refund_no": part.number,
        "transaction_id": trade.trade_no,
        "out_trade_no": trade.number,
        "channel": "ORIGINAL",
        "create_time": _written(part.at),
        "status": RETURNED[part.state],
        "amount": {"total": trade.amount, "refund": part.amount, "currency": trade.currency},
    }
    return said | ({"success_time": _written(part.at)} if part.state == "success" else {})


def returned(trade: Trade, part: Return) -> dict[str, Any]:
    """A refund as a callback tells of it."""
    return {
        "mchid": MCHID,
        "out_trade_no": trade.number,
        "transaction_id": trade.trade_no,
        "out_refund_no": part.number,
        "refund_id": part.refund_no,
        "refund_status": RETURNED[part.state],
        "success_time": _written(part.at),
        "amount": {
            "total": trade.amount,
            "refund": part.amount,
            "payer_total": trade.amount,
            "payer_refund": part.amount,
        },
    }
