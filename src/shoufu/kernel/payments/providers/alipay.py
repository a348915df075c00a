import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

import httpx

from shoufu.engines.paysign import alipay as signing
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
from shoufu.kernel.payments.providers.config import AlipayConfig

FRESH = timedelta(minutes=5)
SECONDS = 10.0
CHINA = timezone(timedelta(hours=8))
WRITTEN = "%Y-%m-%d %H:%M:%S"
DONE, AWAY = "10000", "20000"
UNKNOWN = "ACQ.TRADE_NOT_EXIST"
NO_BILL = ("isp.bill_not_exist", "BILL_NOT_EXIST")
PAID: Mapping[str, State] = {
    "TRADE_SUCCESS": "success",
    "TRADE_FINISHED": "success",
    "WAIT_BUYER_PAY": "pending",
    "TRADE_CLOSED": "closed",
}
LARGEST_BILL = 256 * 1024 * 1024


class Alipay:
    """Alipay, face-to-face payments by QR code (alipay.trade.precreate)."""

    code = "alipay"
    online = True

    def __init__(self, config: AlipayConfig) -> None:
        self._config = config

    def start(self, trade: Trade) -> str:
        content: dict[str, Any] = {
            "out_trade_no": trade.number,
            "total_amount": money.plain(trade.amount, trade.currency),
            "subject": trade.title[:256],
        }
        if trade.expires_at is not None:
            content["time_expire"] = trade.expires_at.astimezone(CHINA).strftime(WRITTEN)
        return str(self._ask("alipay.trade.precreate", content, notify=True)["qr_code"])

    def query(self, number: str) -> Fact | None:
        try:
            said = self._ask("alipay.trade.query", {"out_trade_no": number})
        except Refused as refusal:
            if refusal.code == UNKNOWN:
                return None
            raise
        return self._payment(said, said.get("send_pay_date"))

    def close(self, number: str) -> None:
        try:
            self._ask("alipay.trade.close", {"out_trade_no": number})
        except Refused as refusal:
            # A QR code that nobody has scanned is no trade yet; it ends by time_expire.
            if refusal.code != UNKNOWN:
                raise

    def refund(self, wanted: Return) -> Fact:
        content = {
            "out_trade_no": wanted.trade,
            "out_request_no": wanted.number,
            "refund_amount": money.plain(wanted.amount, wanted.currency),
            "refund_reason": wanted.reason[:256],
        }
        said = self._ask("alipay.trade.refund", content)
        # fund_change "N": this number was refunded before, or the money has yet to move; the query tells which.
        if said.get("fund_change") == "Y":
            return Fact(
                "refund", wanted.trade, "success", self._config.seller_id, self._config.app_id, wanted.total,
                wanted.currency, str(said.get("trade_no", "")), _moment(said.get("gmt_refund_pay")), wanted.number,
                refund_amount=wanted.amount,
            )  # fmt: skip
        found = self.query_refund(wanted.trade, wanted.number)
        return found or Fact("refund", wanted.trade, "pending", self._config.seller_id, refund=wanted.number)

    def query_refund(self, trade: str, number: str) -> Fact | None:
        content = {"out_trade_no": trade, "out_request_no": number, "query_options": ["gmt_refund_pay"]}
        try:
            said = self._ask("alipay.trade.fastpay.refund.query", content)
        except Refused as refusal:
            if refusal.code == UNKNOWN:
                return None
            raise
        if said.get("refund_status") != "REFUND_SUCCESS":
            return None
        return Fact(
            "refund", trade, "success", self._config.seller_id, self._config.app_id,
            money.minor(str(said["total_amount"])), "CNY", str(said.get("trade_no", "")),
            _moment(said.get("gmt_refund_pay")), number, refund_amount=money.minor(str(said["refund_amount"])),
        )  # fmt: skip

    def bill(self, day: date) -> Sequence[BillLine]:
        try:
            said = self._ask(
                "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": str(day)}
            )
        except Refused as refusal:
            if refusal.code in NO_BILL:
                return []
            raise
        try:
            answer = httpx.get(str(said["bill_download_url"]), timeout=SECONDS)
        except httpx.HTTPError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        if answer.status_code != 200 or len(answer.content) > LARGEST_BILL:
            raise Unreachable(f"the bill of {day} could not be downloaded ({answer.status_code})")
        return read_bill(answer.content)

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        try:
            form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True))
        except ValueError as error:
            raise NotGenuine("not a form in UTF-8") from error
        if not signing.verify_notification(self._config.alipay_key, form):
            raise NotGenuine("wrong signature")
        try:
            signed_at = _moment(form["notify_time"])
            if signed_at is None or abs(now - signed_at) > FRESH:
                raise NotGenuine("signed more than five minutes ago")
            return Notification(form["notify_id"][:128], signed_at, self._said(form))
        except (KeyError, ValueError, Invalid) as error:
            raise NotGenuine(f"a field is missing or wrong: {error}") from error

    def answer(self, problem: Problem | None) -> Answer:
        return Answer(
            200 if problem is None else problem.status, "text/plain", "success" if problem is None else "fail"
        )

    def _said(self, form: Mapping[str, str]) -> Fact:
        """A notification about a refund carries refund_fee: what was refunded in all; its own number is out_biz_no."""
        if not form.get("refund_fee") or not form.get("out_biz_no"):
            return self._payment(form, form.get("gmt_payment"), form["seller_id"], form["app_id"])
        return Fact(
            "refund", form["out_trade_no"][:64], "success", form["seller_id"], form["app_id"],
            money.minor(form["total_amount"]), "CNY", form["trade_no"], _moment(form.get("gmt_refund")),
            form["out_biz_no"][:64], refunded_total=money.minor(form["refund_fee"]),
        )  # fmt: skip

    def _payment(self, said: Mapping[str, Any], at: Any, seller: str = "", app: str = "") -> Fact:
        return Fact(
            "pay",
            str(said["out_trade_no"])[:64],
            # Paid and wholly refunded is TRADE_CLOSED as well as never paid; only the former has a time of payment.
            "success" if at and said["trade_status"] == "TRADE_CLOSED" else PAID.get(said["trade_status"], "pending"),
            seller or self._config.seller_id,
            app or self._config.app_id,
            money.minor(str(said["total_amount"])),
            "CNY",
            str(said.get("trade_no", "")),
            _moment(at),
        )

    def _ask(self, method: str, content: Mapping[str, Any], *, notify: bool = False) -> Mapping[str, Any]:
        parameters = {
            "app_id": self._config.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": datetime.now(CHINA).strftime(WRITTEN),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False),
        }
        if notify:
            parameters["notify_url"] = self._config.notify_url
        parameters["sign"] = signing.sign_request(self._config.private_key, parameters)
        try:
            answer = httpx.post(self._config.base_url, data=parameters, timeout=SECONDS)
        except httpx.HTTPError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        return self._read(method, answer)

    def _read(self, method: str, answer: httpx.Response) -> Mapping[str, Any]:
        try:
            outer = json.loads(answer.text)
            node = signing.answer_node(answer.text, method)
            said = json.loads(node)
        except (ValueError, AttributeError) as error:
            raise Unreachable(f"HTTP {answer.status_code} without a readable answer") from error
        if not signing.verify_answer(self._config.alipay_key, node, str(outer.get("sign", ""))):
            raise Unreachable("the answer is not signed by Alipay")
        if said.get("code") != DONE:
            code = str(said.get("sub_code") or said.get("code"))
            if said.get("code") == AWAY or code.endswith("SYSTEM_ERROR"):
                # By the documentation: ask again with the same number.
                raise Unreachable(code)
            raise Refused(code, str(said.get("sub_msg") or said.get("msg", "")))
        return said  # type: ignore[no-any-return]


def _moment(text: Any) -> datetime | None:
    """A time of Alipay's ("2026-11-29 09:30:00", UTC+8; sometimes with milliseconds)."""
    if not text:
        return None
    return datetime.strptime(str(text)[:19], WRITTEN).replace(tzinfo=CHINA).astimezone(UTC)


def read_bill(content: bytes) -> list[BillLine]:
    """The detail lines of a trade bill: a ZIP of CSV files in GBK; lines with # in front are words."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            wanted = [info for info in archive.infolist() if info.filename.endswith(".csv")]
            details = [info for info in wanted if "汇总" not in _name(info)]
            if sum(info.file_size for info in details) > LARGEST_BILL:
                raise Unreachable("the bill is larger than 256 MB")
            texts = [archive.read(info).decode("gb18030") for info in details]
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise Unreachable("the bill is no ZIP of CSV files") from error
    return [line for text in texts for line in _lines(text)]


def _name(info: zipfile.ZipInfo) -> str:
    """The file's name; Alipay writes it in GBK without the flag for UTF-8."""
    if info.flag_bits & 0x800:
        return info.filename
    return info.filename.encode("cp437").decode("gb18030", errors="replace")


def _lines(text: str) -> list[BillLine]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    rows = [row for row in rows if not row[0].startswith("#")]
    if not rows:
        return []
    heads = rows[0]
    try:
        return [_line(dict(zip(heads, row, strict=False))) for row in rows[1:]]
    except (KeyError, Invalid) as error:
        raise Unreachable(f"the bill has a line that cannot be read: {error}") from error


def _line(cells: Mapping[str, str]) -> BillLine:
    amount = money.minor(cells["订单金额（元）"])
    if cells["业务类型"] == "退款":
        return BillLine(
            "refund", cells["商户订单号"], abs(amount), "success", cells["支付宝交易号"], cells["退款批次号/请求号"]
        )
    return BillLine("pay", cells["商户订单号"], amount, "success", cells["支付宝交易号"])
