from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from shoufu.runtime.paygateway import keys, payer
from shoufu.runtime.paygateway.alipay import Alipay, yuan
from shoufu.runtime.paygateway.callbacks import WAITS, Courier, Message
from shoufu.runtime.paygateway.state import Book, Faults, Refusal, Return, Trade, now
from shoufu.runtime.paygateway.wechat import Reply, Wechat

LARGEST = 1 << 20
OLD = timedelta(minutes=6)


class Gateway(ThreadingHTTPServer):
    """The test gateway: /v3 is WeChat Pay, /gateway.do is Alipay, /payer is the page of whoever pays, /control is the
    hand of whoever tests. Trades are kept in the folder, so that a refund finds them after a new start."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int, waits: tuple[float, ...] = WAITS) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        held = keys.read(folder)
        origin = f"http://127.0.0.1:{self.server_port}"
        self.book = Book(folder / "trades.json")
        self.courier = Courier(self.book, waits)
        self.wechat = Wechat(held, self.book, self.courier, origin)
        self.alipay = Alipay(held, self.book, self.courier, origin)

    def side(self, provider: str) -> Wechat | Alipay:
        return self.wechat if provider == "wechat" else self.alipay

    def handle_call(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        if target.startswith("/control/"):
            return self._control(target.removeprefix("/control/"), json.loads(body or b"{}"))
        if target == "/" or target.startswith("/payer/"):
            return self._payer(target.removeprefix("/").removeprefix("payer/"), body)
        if random.random() < self.book.faults.broken:
            return Reply(500, b"", {})
        if target.startswith("/v3/"):
            return self.wechat.handle(method, target, headers, body)
        if target == "/gateway.do" and method == "POST":
            return self.alipay.handle(body)
        if target.startswith("/alipay-bill/"):
            return self.alipay.bill(target.removeprefix("/alipay-bill/"))
        return Reply(404, b"", {})

    def _control(self, name: str, said: Mapping[str, Any]) -> Reply:
        try:
            done = getattr(self, f"do_{name}")(**said)
        except Refusal as refusal:
            return _json(refusal.status, {"code": refusal.code, "message": refusal.words})
        except (AttributeError, TypeError, KeyError) as error:
            return _json(400, {"code": "PARAM_ERROR", "message": str(error)})
        return _json(200, done)

    def _payer(self, name: str, body: bytes) -> Reply:
        if name != "pay":
            return payer.page(self.book, name)
        try:
            self.do_pay(payer.chosen(body))
        except Refusal as refusal:
            return payer.refused(refusal.words)
        return payer.back(self.book.trades[payer.chosen(body)])

    def do_faults(self, **said: Any) -> dict[str, Any]:
        """Set what goes wrong from now on."""
        self.book.faults = Faults(**said)
        return asdict(self.book.faults)

    def do_pay(self, number: str, quiet: bool = False) -> dict[str, Any]:
        """A payer pays; `quiet`: without a callback."""
        trade = self.book.pay(number)
        if not quiet:
            self.courier.send(self.side(trade.provider).message(trade), losable=True)
        return _shown(trade)

    def do_refund(self, number: str, refund: str, amount: int, quiet: bool = False) -> dict[str, Any]:
        """A refund in the provider's own portal."""
        trade, made, _new = self.book.give_back(self.book.trades[number].provider, number, refund, amount)
        if not quiet:
            self.courier.send(self.side(trade.provider).message(trade, made))
        return _shown(trade)

    def do_finish(self, number: str, refund: str, state: str = "success") -> dict[str, Any]:
        """End a slow refund ("success" or "abnormal")."""
        trade, made = self.book.finish(number, refund, state)
        self.courier.send(self.side(trade.provider).message(trade, made))
        return _shown(trade)

    def do_send(self, number: str, refund: str = "", fault: str = "") -> dict[str, Any]:
        """Send one callback now, with a fault or without, and tell what the shop answered.

        Faults: signature (a stranger's key), old (signed six minutes ago), amount, merchant, unknown (no such order),
        tampered (changed after signing).
        """
        trade = self.book.trades[number]
        part = trade.returns[refund] if refund else None
        message = self._message(trade, part, fault)
        at = now() - OLD if fault == "old" else now()
        said = _wrong_merchant(message.said) if fault == "merchant" else message.said
        body, headers = message.seal(said, at, fault == "signature")
        if fault == "tampered":
            body = body.replace(trade.trade_no.encode(), b"9" * len(trade.trade_no))
            body = body[:-2] + b" " + body[-2:] if trade.provider == "wechat" else body
        try:
            answer = httpx.post(message.url, content=body, headers=headers, timeout=10, trust_env=False)
        except httpx.HTTPError as error:
            return {"status": 0, "body": type(error).__name__}
        return {"status": answer.status_code, "body": answer.text[:500]}

    def _message(self, trade: Trade, part: Return | None, fault: str) -> Message:
        side = self.side(trade.provider)
        if not fault:
            return side.message(trade, part)
        changed = replace(trade, returns=dict(trade.returns))
        if changed.state == "open":
            changed.state, changed.paid_at = "paid", now()
        if fault in ("amount", "merchant", "unknown"):
            # A number of its own: genuine in all but this, it must not pass as the repetition of another one.
            changed.trade_no = self.book.serial("9")
        if fault == "amount":
            changed.amount += 1
        if fault == "unknown":
            changed.number = f"X{self.book.serial('')}"
        return side.message(changed, part, keep=False)

    def do_state(self) -> dict[str, Any]:
        """How many trades and callbacks, and what the provider took in and gave back (minor units)."""
        with self.book.lock:
            trades = list(self.book.trades.values())
            return {
                "trades": len(trades),
                "received": {p: sum(t.amount for t in trades if t.provider == p and t.state == "paid") for p in SIDES},
                "refunded": {p: sum(t.refunded for t in trades if t.provider == p) for p in SIDES},
                "waiting": self.courier.waiting,
                "taken": self.courier.taken,
                "refused": self.courier.refused,
                "given_up": self.courier.given_up,
            }


SIDES = ("wechat", "alipay")


def _wrong_merchant(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**said, **{name: "1" for name in ("mchid", "seller_id") if name in said}}


def _shown(trade: Trade) -> dict[str, Any]:
    return {
        "number": trade.number,
        "state": trade.state,
        "amount": yuan(trade.amount),
        "refunded": yuan(trade.refunded),
    }


def _json(status: int, said: Any) -> Reply:
    return Reply(status, json.dumps(said, ensure_ascii=False).encode(), {"Content-Type": "application/json"})


class Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.send_error(413)
            return
        reply = self.server.handle_call(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _serve

    def log_message(self, *_: object) -> None:
        return
