"""The payer's side of the test gateway: the page that a scanned code opens."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

from shoufu.runtime.paygateway.alipay import yuan
from shoufu.runtime.paygateway.state import Book, Trade
from shoufu.runtime.paygateway.wechat import Reply

NAMES = {"wechat": "微信支付 WeChat Pay", "alipay": "支付宝 Alipay"}
STATES = {"open": "待支付 · to pay", "paid": "已支付 · paid", "closed": "已关闭 · closed"}
SHOWN = 50
PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>测试支付 · Test payments</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}}
article{{border:1px solid #999;border-radius:.5rem;padding:1rem;margin:1rem 0}}
button{{font:inherit;padding:.6rem 1.2rem;width:100%}}</style>
<h1>测试支付 · Test payments</h1><p>这里不会有真实的钱。 · No real money moves here.</p>{body}</html>"""


def page(book: Book, trade_no: str = "") -> Reply:
    """One trade by the provider's number, or without it the latest ones, each with a button to pay."""
    with book.lock:
        found = [one for one in reversed(book.trades.values()) if trade_no in ("", one.trade_no)][:SHOWN]
    body = "".join(_card(one) for one in found) or "<p>没有订单。 · There is nothing to pay.</p>"
    return _html(404 if trade_no and not found else 200, body)


def chosen(body: bytes) -> str:
    """The number of the trade that the page's button names; empty without one."""
    return parse_qs(body.decode()).get("number", [""])[0]


def back(trade: Trade) -> Reply:
    """Show the trade after it was paid."""
    return Reply(303, b"", {"Location": f"/payer/{trade.trade_no}"})


def refused(words: str) -> Reply:
    """Why nobody can pay."""
    return _html(409, f"<p>{escape(words)}</p>")


def _card(trade: Trade) -> str:
    pay = (
        f'<form method="post" action="/payer/pay"><input type="hidden" name="number" value="{escape(trade.number)}">'
        "<button>支付 · Pay</button></form>"
    )
    refunded = f"<p>已退 · refunded {yuan(trade.refunded)}</p>" if trade.refunded else ""
    return (
        f"<article><p>{NAMES[trade.provider]} · {escape(trade.number)}</p><h2>{escape(trade.title)}</h2>"
        f"<p>{yuan(trade.amount)} {escape(trade.currency)} — {STATES[trade.state]}</p>{refunded}"
        f"{pay if trade.state == 'open' else ''}</article>"
    )


def _html(status: int, body: str) -> Reply:
    return Reply(status, PAGE.format(body=body).encode(), {"Content-Type": "text/html; charset=utf-8"})
