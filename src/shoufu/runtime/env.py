"""Every setting of the product: one typed list, read from environment variables.

Add a line to ``SETTINGS`` and read it with ``env.get("SHOUFU_NAME")``; ``shoufu settings`` lists it by itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


class SettingError(ValueError):
    """A setting's text is not of its type; the message names the variable and what it accepts."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment variable, its type (str, int, float, bool or Path), its default and what it does."""

    name: str
    kind: type
    default: Any
    help: str
    secret: bool = False

    def parse(self, text: str) -> Any:
        """The typed value of ``text``; :class:`SettingError` where it does not fit."""
        if self.kind is bool:
            return self._parse_bool(text)
        if self.kind is Path:
            return Path(text).expanduser()
        try:
            return self.kind(text)
        except ValueError as error:
            raise SettingError(f"{self.name}={text!r} is not of type {self.kind.__name__}: {self.help}") from error

    def _parse_bool(self, text: str) -> bool:
        word = text.strip().lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        raise SettingError(f"{self.name}={text!r} is neither 1 nor 0: {self.help}")


SETTINGS: tuple[Setting, ...] = (
    Setting("SHOUFU_DATA", Path, Path("var"), "Data directory: database, broker, media, keys and logs."),
    Setting("SHOUFU_CACHE", Path, Path("~/.cache/shoufu"), "Cache that may be deleted at any time."),
    Setting("SHOUFU_MODELS", Path, Path("~/.cache/shoufu/models"), "Where vision models are installed."),
    Setting("SHOUFU_HOST", str, "127.0.0.1", "Address that the edge (the front of everything) listens on."),
    Setting("SHOUFU_PORT", int, 8600, "Port of the edge: pages, API and live push."),
    Setting("SHOUFU_WEB_PORT", int, 8601, "Loopback port of the page server behind the edge."),
    Setting("SHOUFU_WEB_WORKERS", int, 1, "Page server workers; each answers two requests at a time."),
    Setting("SHOUFU_NATS_PORT", int, 4222, "Loopback port of the embedded NATS server."),
    Setting("SHOUFU_MQTT_HOST", str, "127.0.0.1", "Address of the MQTT listener for devices."),
    Setting("SHOUFU_MQTT_PORT", int, 1883, "Port of the MQTT listener for devices."),
    Setting(
        "SHOUFU_NATS_SYNC", str, "2m", "When JetStream flushes to disk: a duration, or 'always' (survives a power cut)."
    ),
    Setting("SHOUFU_PG_PORT", int, 5433, "Loopback port of the embedded PostgreSQL."),
    Setting("DATABASE_URL", str, "", "postgresql:// address of your own database, in place of the embedded one.", True),
    Setting("NATS_URL", str, "", "nats:// address of your own NATS, in place of the embedded one.", True),
    Setting("SHOUFU_SECRET_KEY", str, "", "Signing key; made in the data directory when absent.", True),
    Setting("SHOUFU_SHARDS", int, 1, "Evaluator shards (by hash of place)."),
    Setting(
        "SHOUFU_LATENESS", float, 2.0, "Seconds that a row may arrive after newer ones and still count in every rule."
    ),
    Setting("SHOUFU_WATCHERS", int, 1, "Watcher processes, among which the cameras are shared."),
    Setting("SHOUFU_RECORDING_DAYS", int, 30, "Days that recordings of cameras are kept, room permitting."),
    Setting(
        "SHOUFU_RECORDING_GB", float, 0.0, "Most that recordings may take; 0: all but a reserve of 5 % of the disk."
    ),
    Setting("SHOUFU_TIME_ZONE", str, "Asia/Shanghai", "Time zone of pages, and of places that name none."),
    Setting("SHOUFU_ORIGIN", str, "", "Outside address (https://…), needed for passkeys and links behind a proxy."),
    Setting("SHOUFU_SMTP_URL", str, "", "smtp://user:password@host:port of the mail server for notices.", True),
    Setting("SHOUFU_SMS_URL", str, "", "HTTP address of the SMS provider for notices.", True),
    Setting(
        "SHOUFU_WECHATPAY",
        str,
        "",
        "Settings file (TOML) of the WeChat Pay merchant account; its keys stand beside it.",
    ),
    Setting("SHOUFU_WECHATPAY_URL", str, "", "Address of WeChat Pay, in place of the file's: for the test gateway."),
    Setting("SHOUFU_ALIPAY", str, "", "Settings file (TOML) of the Alipay merchant account; its keys stand beside it."),
    Setting("SHOUFU_ALIPAY_URL", str, "", "Address of Alipay's gateway, in place of the file's: for the test gateway."),
    Setting("SHOUFU_PAYGATEWAY_PORT", int, 8620, "Loopback port of the test payment gateway, which the demo starts."),
    Setting("SHOUFU_SCENE_PACKAGES", str, "", "Further Python packages that hold a scene, by comma."),
    Setting(
        "SHOUFU_BACKUP_DAYS", int, 30, "Days that back-ups are kept: an erasure's receipt says when the last one ends."
    ),
    Setting("SHOUFU_DEBUG", bool, False, "Django's debug pages; never where others can reach them."),
    Setting("SHOUFU_DEMO", bool, False, "One-click sign-in links on loopback; set by the demo only."),
    Setting("SHOUFU_BEGAN", float, 0.0, "Epoch seconds of the program's start, set by bin/; else the process's own."),
    Setting("SHOUFU_LOG_LEVEL", str, "info", "debug, info, warning or error."),
    Setting("SHOUFU_LOG_FORMAT", str, "text", "text, or json: one object a line."),
)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and where it came from: ``environment`` or ``default``."""

    setting: Setting
    value: Any
    source: str

    def shown(self) -> str:
        """The value as text, masked where it is secret."""
        if self.setting.secret and self.value:
            return "••••••"
        return str(self.value)


def lookup(name: str) -> Value:
    """The value of ``name`` and its source; an empty variable counts as unset. KeyError for an unknown name."""
    setting = BY_NAME[name]
    text = os.environ.get(name, "")
    if text:
        return Value(setting, setting.parse(text), "environment")
    default = setting.default
    return Value(setting, default.expanduser() if isinstance(default, Path) else default, "default")


def get(name: str) -> Any:
    """The typed value of the setting ``name``."""
    return lookup(name).value


def data_dir() -> Path:
    """The data directory as an absolute path (not created here)."""
    return Path(get("SHOUFU_DATA")).absolute()


def cache_dir() -> Path:
    """The cache directory as an absolute path (not created here)."""
    return Path(get("SHOUFU_CACHE")).absolute()


def unknown() -> list[str]:
    """Names of ``SHOUFU_*`` variables in the environment that no setting has (mostly misspelt)."""
    return sorted(name for name in os.environ if name.startswith("SHOUFU_") and name not in BY_NAME)
