"""Payment providers behind one small interface (`base.Adapter`)."""

from shoufu.kernel.payments.models import Provider
from shoufu.kernel.payments.providers import config
from shoufu.kernel.payments.providers.alipay import Alipay
from shoufu.kernel.payments.providers.base import (
    Adapter,
    Answer,
    BadConfig,
    BillLine,
    Fact,
    NotConfigured,
    NotGenuine,
    Notification,
    Refused,
    Return,
    Trade,
    Unreachable,
)
from shoufu.kernel.payments.providers.offline import Offline
from shoufu.kernel.payments.providers.wechat import WechatPay


def adapter(code: str) -> Adapter:
    """The adapter of a provider. NotConfigured where no merchant account is set, BadConfig where it is wrong."""
    if code == Provider.OFFLINE:
        return Offline()
    if code == Provider.WECHAT and (wechat := config.wechat()):
        return WechatPay(wechat)
    if code == Provider.ALIPAY and (alipay := config.alipay()):
        return Alipay(alipay)
    raise NotConfigured(code)


def configured() -> list[str]:
    """Codes of the providers that can be used here; cash always can."""
    found = [Provider.WECHAT.value] if config.wechat() else []
    return [*found, *([Provider.ALIPAY.value] if config.alipay() else []), Provider.OFFLINE.value]


def identity(code: str) -> tuple[str, str]:
    """Who we are to a provider: merchant and app; what a callback must name."""
    if code == Provider.WECHAT and (wechat := config.wechat()):
        return wechat.mchid, wechat.appid
    if code == Provider.ALIPAY and (alipay := config.alipay()):
        return alipay.seller_id, alipay.app_id
    raise NotConfigured(code)


__all__ = [
    "Adapter",
    "Answer",
    "BadConfig",
    "BillLine",
    "Fact",
    "NotConfigured",
    "NotGenuine",
    "Notification",
    "Refused",
    "Return",
    "Trade",
    "Unreachable",
    "adapter",
    "configured",
    "identity",
]
