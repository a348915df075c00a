"""The folder of the test gateway: its keys, the merchant's keys, and the settings files that Shoufu reads."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from shoufu.engines import paysign

MCHID, APPID, MERCHANT_SERIAL, PLATFORM_SERIAL = "1900000109", "wxd678efh567hg6787", "7A1B", "PUB_KEY_ID_TEST"
ALIPAY_APP, ALIPAY_SELLER = "2021000000000000", "2088000000000000"


@dataclass(frozen=True)
class Keys:
    """What the gateway holds: its own private key, the merchant's public one, the API v3 key (32 bytes)."""

    platform: RSAPrivateKey = field(repr=False)
    merchant: RSAPublicKey = field(repr=False)
    stranger: RSAPrivateKey = field(repr=False)
    api_key: bytes = field(repr=False)


def make(folder: Path, gateway: str, shop: str) -> None:
    """Write settings, and keys where there are none; `gateway` and `shop` are the origins ("http://127.0.0.1:8620")
    of the two sides."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "api.key").exists():
        _make_keys(folder)
    _write(
        folder / "wechat.toml",
        f'base_url = "{gateway}"\nnotify_url = "{shop}/payments/callback/wechat"\nmchid = "{MCHID}"\n'
        f'appid = "{APPID}"\nserial = "{MERCHANT_SERIAL}"\nprivate_key = "merchant.pem"\napi_key_file = "api.key"\n'
        f'[platform_keys]\n"{PLATFORM_SERIAL}" = "platform.pub.pem"\n',
    )
    _write(
        folder / "alipay.toml",
        f'base_url = "{gateway}/gateway.do"\nnotify_url = "{shop}/payments/callback/alipay"\n'
        f'app_id = "{ALIPAY_APP}"\nseller_id = "{ALIPAY_SELLER}"\nprivate_key = "merchant.pem"\n'
        f'alipay_public_key = "platform.pub.pem"\n',
    )


def _make_keys(folder: Path) -> None:
    for name in ("platform", "merchant"):
        pem = paysign.new_private_pem()
        _write(folder / f"{name}.pem", pem)
        _write(folder / f"{name}.pub.pem", paysign.public_pem(paysign.private_key(pem)))
    # Last: where it is, the others are whole.
    _write(folder / "api.key", secrets.token_hex(16))


def read(folder: Path) -> Keys:
    """The keys of a folder that `make` wrote."""
    return Keys(
        paysign.private_key((folder / "platform.pem").read_text()),
        paysign.public_key((folder / "merchant.pub.pem").read_text()),
        paysign.private_key(paysign.new_private_pem()),
        (folder / "api.key").read_text().strip().encode(),
    )


def environment(folder: Path) -> dict[str, str]:
    """The variables that point Shoufu at the gateway."""
    return {"SHOUFU_WECHATPAY": str(folder / "wechat.toml"), "SHOUFU_ALIPAY": str(folder / "alipay.toml")}


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
