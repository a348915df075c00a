"""Merchant accounts: a TOML file a provider, named by SHOUFU_WECHATPAY and SHOUFU_ALIPAY; keys are files beside it."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from django.conf import settings

from shoufu.engines import paysign
from shoufu.engines.paysign.wechat import KEY_BYTES
from shoufu.kernel.payments.providers.base import BadConfig


@dataclass(frozen=True)
class WechatConfig:
    """`platform` maps serials (of a platform certificate, or PUB_KEY_ID_…) to keys, so that a change can overlap."""

    base_url: str
    notify_url: str
    mchid: str
    appid: str
    serial: str
    private_key: RSAPrivateKey = field(repr=False)
    api_key: bytes = field(repr=False)
    platform: dict[str, RSAPublicKey] = field(repr=False)


@dataclass(frozen=True)
class AlipayConfig:
    base_url: str
    notify_url: str
    app_id: str
    seller_id: str
    private_key: RSAPrivateKey = field(repr=False)
    alipay_key: RSAPublicKey = field(repr=False)


class _File:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadConfig(f"{path}: cannot be read as TOML ({error})") from error

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise BadConfig(f"{self.path}: set {name} to a text")
        return value.strip()

    def content(self, name: str, value: str | None = None) -> str:
        path = self.path.parent / (value or self.text(name))
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig(f"{self.path}: {name} names the file {path}, which cannot be read") from error

    def private(self, name: str) -> RSAPrivateKey:
        try:
            return paysign.private_key(self.content(name))
        except paysign.BadKey as error:
            raise BadConfig(f"{self.path}: {name}: {error}") from error

    def public(self, name: str, value: str | None = None) -> RSAPublicKey:
        try:
            return paysign.public_key(self.content(name, value))
        except paysign.BadKey as error:
            raise BadConfig(f"{self.path}: {name}: {error}") from error


def wechat() -> WechatConfig | None:
    """The merchant account of WeChat Pay; None where SHOUFU_WECHATPAY is not set. BadConfig where it is wrong."""
    name = settings.WECHATPAY
    return _wechat(Path(name), Path(name).stat().st_mtime_ns, settings.WECHATPAY_URL) if _there(name) else None


def alipay() -> AlipayConfig | None:
    """The merchant account of Alipay; None where SHOUFU_ALIPAY is not set. BadConfig where it is wrong."""
    name = settings.ALIPAY
    return _alipay(Path(name), Path(name).stat().st_mtime_ns, settings.ALIPAY_URL) if _there(name) else None


def _there(name: str) -> bool:
    if name and not Path(name).is_file():
        raise BadConfig(f"{name}: there is no such file")
    return bool(name)


@cache
def _wechat(path: Path, _changed: int, url: str) -> WechatConfig:
    file = _File(path)
    api_key = file.content("api_key_file").encode()
    if len(api_key) != KEY_BYTES:
        raise BadConfig(f"{path}: the file of api_key_file must hold {KEY_BYTES} characters")
    named = file.values.get("platform_keys")
    if not isinstance(named, dict) or not named:
        raise BadConfig(f'{path}: add [platform_keys] with serial = "file" for each key of the platform')
    platform = {str(serial): file.public("platform_keys", str(value)) for serial, value in named.items()}
    return WechatConfig(
        (url or file.values.get("base_url") or "https://api.mch.weixin.qq.com").rstrip("/"),
        file.text("notify_url"),
        file.text("mchid"),
        file.text("appid"),
        file.text("serial"),
        file.private("private_key"),
        api_key,
        platform,
    )


@cache
def _alipay(path: Path, _changed: int, url: str) -> AlipayConfig:
    file = _File(path)
    return AlipayConfig(
        url or file.values.get("base_url") or "https://openapi.alipay.com/gateway.do",
        file.text("notify_url"),
        file.text("app_id"),
        file.text("seller_id"),
        file.private("private_key"),
        file.public("alipay_public_key"),
    )
