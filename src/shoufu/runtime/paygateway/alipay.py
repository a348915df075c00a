from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from shoufu.engines.paysign import alipay as signing
from shoufu.runtime.paygateway import bills
from shoufu.runtime.paygateway.callbacks import Courier, Message
from shoufu.runtime.paygateway.keys import ALIPAY_APP, ALIPAY_SELLER, Keys
from shoufu.runtime.paygateway.state import CHINA, Book, Refusal, Return, Trade
from shoufu.runtime.paygateway.wechat import Reply

WRITTEN = "%Y-%m-%d %H:%M:%S"
CODES = {
    "ORDER_NOT_EXIST": "ACQ.TRADE_NOT_EXIST",
    "NOT_ENOUGH": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ORDERPAID": "ACQ.TRADE_HAS_SUCCESS",
}


def yuan(minor: int) -> str:
    return f"{Decimal(minor) / 100:.2f}"


def fen(text: str) -> int:
    value = Decimal(text) * 100
    if value != int(value):
        raise ValueError(f"{text} has more than two digits after the point")
    return int(value)


class Alipay:
    """The side of Alipay: one address for all methods, and the notifications."""

    def __init__(self, keys: Keys, book: Book, courier: Courier, origin: str) -> None:
        self._keys, self._book, self._courier, self._origin = keys, book, courier, origin

    def handle(self, body: bytes) -> Reply:
        """Answer a signed request of the merchant."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        method = form.get("method", "")
        try:
            if form.get("app_id") != ALIPAY_APP or not signing.verify_request(self._keys.merchant, form):
                raise Refusal("isv.invalid-signature", "the signature is wrong")
            said = self._do(method, json.loads(form["biz_content"]), form.get("notify_url", ""))
            node = {"code": "10000", "msg": "Success", **said}
        except Refusal as refusal:
            code = CODES.get(refusal.code, refusal.code)
            node = {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": refusal.words}
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            node = {
                "code": "40002",
                "msg": "Invalid Arguments",
                "sub_code": "isv.invalid-parameter",
                "sub_msg": str(error),
            }
        text = json.dumps(node, ensure_ascii=False)
        name = f"{method.replace('.', '_')}_response"
        answer = f'{{"{name}":{text},"sign":"{signing.sign_answer(self._keys.platform, text)}"}}'
        return Reply(200, answer.encode(), {"Content-Type": "application/json;charset=utf-8"})

    def _do(self, method: str, said: Mapping[str, Any], notify_url: str) -> dict[str, Any]:
        match method:
            case "alipay.trade.precreate":
                return self._open(said, notify_url)
            case "alipay.trade.query":
                return self._query(str(said["out_trade_no"]))
            case "alipay.trade.close":
                trade = self._book.close("alipay", str(said["out_trade_no"]))
                return {"out_trade_no": trade.number, "trade_no": trade.trade_no}
            case "alipay.trade.refund":
                return self._refund(said)
            case "alipay.trade.fastpay.refund.query":
                return self._returned(str(said["out_trade_no"]), str(said["out_request_no"]))
            case "alipay.data.dataservice.bill.downloadurl.query":
                return self._bill(str(said["bill_date"]))
        raise Refusal("isv.invalid-method", "no such method")

    def _open(self, said: Mapping[str, Any], notify_url: str) -> dict[str, Any]:
        expires = said.get("time_expire")
        trade = self._book.open(
            Trade(
                "alipay", str(said["out_trade_no"]), str(said["subject"]), fen(str(said["total_amount"])), "CNY",
                notify_url, self._book.serial("2026"),
                datetime.strptime(expires, WRITTEN).replace(tzinfo=CHINA) if expires else None,
            )
        )  # fmt: skip
        return {"out_trade_no": trade.number, "qr_code": f"{self._origin}/payer/{trade.trade_no}"}

    def _query(self, number: str) -> dict[str, Any]:
        trade = self._book.find("alipay", number)
        said = {
            "out_trade_no": number,
            "trade_no": trade.trade_no,
            "trade_status": status(trade),
            "total_amount": yuan(trade.amount),
        }
        return said | ({"send_pay_date": written(trade.paid_at)} if trade.paid_at else {})

    def _refund(self, said: Mapping[str, Any]) -> dict[str, Any]:
        number = str(said.get("out_request_no") or said["out_trade_no"])
        amount = fen(str(said["refund_amount"]))
        trade, made, new = self._book.give_back("alipay", str(said["out_trade_no"]), number, amount)
        if new:
            self._courier.send(self.message(trade, made))
        return {
            "out_trade_no": trade.number,
            "trade_no": trade.trade_no,
            "fund_change": "Y" if new else "N",
            "refund_fee": yuan(trade.refunded),
            "gmt_refund_pay": written(made.at),
        }

    def _returned(self, number: str, request: str) -> dict[str, Any]:
        trade = self._book.find("alipay", number)
        made = trade.returns.get(request)
        if made is None:
            return {}
        return {
            "out_trade_no": trade.number,
            "trade_no": trade.trade_no,
            "out_request_no": made.number,
            "total_amount": yuan(trade.amount),
            "refund_amount": yuan(made.amount),
            "refund_status": "REFUND_SUCCESS",
            "gmt_refund_pay": written(made.at),
        }

    def _bill(self, day: str) -> dict[str, Any]:
        paid, back = self._book.of_day("alipay", day)
        if not paid and not back:
            raise Refusal("isp.bill_not_exist", "nothing on that day")
        return {"bill_download_url": f"{self._origin}/alipay-bill/{day}"}

    def bill(self, day: str) -> Reply:
        """The bill's ZIP."""
        content = bills.alipay(ALIPAY_SELLER, day, *self._book.of_day("alipay", day))
        return Reply(200, content, {"Content-Type": "application/zip"})

    def message(self, trade: Trade, part: Return | None = None, *, keep: bool = True) -> Message:
        """The notification about a payment or refund, signed anew at each sending; with `keep`
        its number says the same for ever."""
        said = {
            "notify_type": "trade_status_sync",
            "app_id": ALIPAY_APP,
            "seller_id": ALIPAY_SELLER,
            "charset": "utf-8",
            "version": "1.0",
            "out_trade_no": trade.number,
            "trade_no": trade.trade_no,
            "trade_status": status(trade),
            "subject": trade.title,
            "total_amount": yuan(trade.amount),
            "receipt_amount": yuan(trade.amount),
            "buyer_id": "2088102116773037",
            "gmt_payment": written(trade.paid_at),
        }
        if part is not None:
            said |= {"out_biz_no": part.number, "refund_fee": yuan(trade.refunded), "gmt_refund": written(part.at)}
        number = f"{part.refund_no if part else trade.trade_no}n"
        said = dict(self._book.first(number, said)) if keep else said
        return Message(
            trade.notify_url, number, said, lambda values, at, stranger: self.seal(number, values, at, stranger)
        )

    def seal(self, number: str, said: Mapping[str, Any], at: datetime, stranger: bool) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a notification; `stranger` signs with a key that is not Alipay's."""
        form = {name: str(value) for name, value in said.items()}
        form |= {"notify_id": number, "notify_time": written(at), "sign_type": "RSA2"}
        form["sign"] = signing.sign_notification(self._keys.stranger if stranger else self._keys.platform, form)
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def written(moment: datetime | None) -> str:
    return moment.astimezone(CHINA).strftime(WRITTEN) if moment else ""


def status(trade: Trade) -> str:
    """The trade's state in Alipay's words: fully refunded is TRADE_CLOSED too."""
    if trade.state == "paid":
        return "TRADE_CLOSED" if trade.refunded == trade.amount else "TRADE_SUCCESS"
    return "TRADE_CLOSED" if trade.state == "closed" else "WAIT_BUYER_PAY"
