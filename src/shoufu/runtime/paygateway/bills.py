"""Daily bills in the two providers' own forms."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime

from shoufu.runtime.paygateway.keys import APPID, MCHID
from shoufu.runtime.paygateway.state import CHINA, Return, Trade

WECHAT_HEADS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
WECHAT_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
ALIPAY_HEADS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
Back = Sequence[tuple[Trade, Return]]


def _yuan(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def _at(moment: datetime | None) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def wechat(paid: Sequence[Trade], back: Back) -> str:
    """The trade bill of type ALL: every cell with a backtick in front, sums in the last two lines."""
    rows = [_wechat_row(trade, None) for trade in paid] + [_wechat_row(trade, part) for trade, part in back]
    total, returned = sum(one.amount for one in paid), sum(part.amount for _trade, part in back)
    sums = [str(len(rows)), _yuan(total), _yuan(returned), "0.00", "0.00", _yuan(total), _yuan(returned)]
    lines = [WECHAT_HEADS, *(_ticked(row) for row in rows), WECHAT_SUMS, _ticked(sums)]
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


def _ticked(cells: Sequence[str]) -> str:
    return ",".join(f"`{cell.replace(',', ' ')}" for cell in cells)


def _wechat_row(trade: Trade, part: Return | None) -> list[str]:
    states = {"success": "SUCCESS", "processing": "PROCESSING", "abnormal": "ABNORMAL"}
    back = part is not None
    return [
        _at(part.at if part else trade.paid_at), APPID, MCHID, "0", "", trade.trade_no, trade.number, "oUpF8u",
        "NATIVE", "REFUND" if back else "SUCCESS", "OTHERS", trade.currency, "0.00" if back else _yuan(trade.amount),
        "0.00", part.refund_no if part else "0", part.number if part else "0", _yuan(part.amount) if part else "0.00",
        "0.00", "ORIGINAL" if back else "", states[part.state] if part else "", trade.title, "", "0.00000", "0.00%",
        "0.00" if back else _yuan(trade.amount), _yuan(part.amount) if part else "0.00", "",
    ]  # fmt: skip


def alipay(seller: str, day: str, paid: Sequence[Trade], back: Back) -> bytes:
    """The trade bill: a ZIP with the details and the sums as CSV in GBK."""
    rows = [_alipay_row(trade, None) for trade in paid] + [_alipay_row(trade, part) for trade, part in back]
    words = ["#支付宝业务明细查询", f"#账号：[{seller}]", "#" + "-" * 20 + "业务明细列表" + "-" * 20]
    tail = ["#" + "-" * 20 + "业务明细列表结束" + "-" * 20, f"#导出时间：[{day}]"]
    lines = [*words, ALIPAY_HEADS, *(",".join(f"{cell.replace(',', ' ')}\t" for cell in row) for row in rows), *tail]
    sums = ["#支付宝业务汇总查询", "门店编号,门店名称,交易订单总笔数,退款订单总笔数", f"合计,,{len(paid)},{len(back)}"]
    buffer = io.BytesIO()
    stem = f"{seller}_{day.replace('-', '')}"
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}_业务明细.csv", "\r\n".join(lines).encode("gb18030"))
        archive.writestr(f"{stem}_业务明细(汇总).csv", "\r\n".join(sums).encode("gb18030"))
    return buffer.getvalue()


def _alipay_row(trade: Trade, part: Return | None) -> list[str]:
    amount = _yuan(-part.amount if part else trade.amount)
    moment = _at(part.at if part else trade.paid_at)
    return [
        trade.trade_no, trade.number, "退款" if part else "交易", trade.title, moment, moment, "", "", "", "",
        "138****0000", amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00",
        part.number if part else "", "0.00", "0.00", "",
    ]  # fmt: skip
