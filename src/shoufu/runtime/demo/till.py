"""The demo's test payment gateway: the pages pay by WeChat Pay and Alipay as they would with a merchant account."""

from __future__ import annotations

import os
from pathlib import Path

from shoufu.runtime import data, env, processes
from shoufu.runtime.paygateway import keys
from shoufu.runtime.supervisor import Spec
from shoufu.runtime.supervisor.checks import tcp

NAME = "paygateway"


def folder() -> Path:
    """Its keys, settings and trades."""
    return data.layout().root / "demo" / NAME


def address() -> str:
    """The page where a payer pays."""
    return f"http://127.0.0.1:{env.get('SHOUFU_PAYGATEWAY_PORT')}/"


def specs() -> list[Spec]:
    """The gateway as one of the demo's processes, with keys and settings written and the others pointed at it; none
    where a merchant account is set: then the demo pays by that."""
    if env.get("SHOUFU_WECHATPAY") or env.get("SHOUFU_ALIPAY"):
        return []
    port = int(env.get("SHOUFU_PAYGATEWAY_PORT"))
    keys.make(folder(), address().rstrip("/"), f"http://127.0.0.1:{env.get('SHOUFU_PORT')}")
    os.environ.update(keys.environment(folder()))
    words = processes.command("paygateway", "--folder", str(folder()), "--port", str(port))
    return [Spec(NAME, words, needs=("web", "edge"), ready=tcp(port), healthy=tcp(port), niceness=1)]
