"""The controller's own settings, a TOML file. Doors, people and schedules come with the rule set, not from here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec


class ConfigError(ValueError):
    """A setting is missing or wrong; the text names it and what to do."""


class LineConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A line to devices. ``address``: ``tcp:HOST:PORT`` or ``serial:/dev/ttyS1:9600``; ``protocol`` osdp, or text for
    readers that send a line a code."""

    name: str
    address: str
    protocol: str = "osdp"
    poll_ms: int = 50


class DeviceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A device on an OSDP line: address on the line and its secure channel key (SCBK, 32 hex digits)."""

    name: str
    line: str
    address: int = 0
    key: str


class ReaderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Reader ``number`` of the rule set is this device (OSDP), or this text line. ``index``: reader in the device."""

    number: int
    device: str = ""
    index: int = 0
    line: str = ""


class OutputConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An output of a device."""

    device: str
    output: int = 0


class InputConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An input of a device. ``active``: the state of the input that means open, unlocked, pressed, fire, tampered."""

    device: str
    input: int
    active: bool = True


class DoorConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What hangs at door ``number``: the lock's output, and inputs by what they tell."""

    number: int
    lock: OutputConfig | None = None
    contact: InputConfig | None = None
    bolt: InputConfig | None = None
    exit: InputConfig | None = None
    fire: InputConfig | None = None
    tamper: InputConfig | None = None
    count: InputConfig | None = None


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    controller: str
    server: str
    server_key: str
    data: str
    secret: str = ""
    secret_file: str = ""
    language: str = "zh"
    line: list[LineConfig] = []
    device: list[DeviceConfig] = []
    reader: list[ReaderConfig] = []
    door: list[DoorConfig] = []


def read(path: Path) -> Config:
    """The settings of a file. ConfigError names what is wrong."""
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    try:
        config = msgspec.convert(told, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    return check(config)


def check(config: Config) -> Config:
    """The settings, with the secret read from its file. ConfigError names what does not fit together."""
    if config.secret_file and not config.secret:
        try:
            config.secret = Path(config.secret_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"secret_file: {config.secret_file} cannot be read: {error.strerror}.") from error
    if not config.secret:
        raise ConfigError("secret_file: name the file with the device's secret.")
    hex_bytes("server_key", config.server_key, 32)
    lines = {line.name: line for line in config.line}
    devices = {device.name: device for device in config.device}
    for line in config.line:
        if line.protocol not in {"osdp", "text"}:
            raise ConfigError(f"line {line.name}: protocol must be osdp or text.")
    for device in config.device:
        if device.line not in lines or lines[device.line].protocol != "osdp":
            raise ConfigError(f"device {device.name}: {device.line!r} is no OSDP line.")
        if not 0 <= device.address < 0x7F:
            raise ConfigError(f"device {device.name}: the address must be 0–126.")
        key = hex_bytes(f"device {device.name}: key", device.key, 16)
        if key == bytes(range(0x30, 0x40)):
            raise ConfigError(f"device {device.name}: the key is the standard's default key; give it one of its own.")
    for reader in config.reader:
        if bool(reader.device) == bool(reader.line):
            raise ConfigError(f"reader {reader.number}: name a device or a text line.")
        if reader.device and reader.device not in devices:
            raise ConfigError(f"reader {reader.number}: there is no device {reader.device!r}.")
        if reader.line and (reader.line not in lines or lines[reader.line].protocol != "text"):
            raise ConfigError(f"reader {reader.number}: {reader.line!r} is no text line.")
    for door in config.door:
        for part in (door.lock, door.contact, door.bolt, door.exit, door.fire, door.tamper, door.count):
            if part is not None and part.device not in devices:
                raise ConfigError(f"door {door.number}: there is no device {part.device!r}.")
    return config


def hex_bytes(name: str, text: str, size: int) -> bytes:
    """Bytes of a hex text of this size; ConfigError otherwise."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != size:
        raise ConfigError(f"{name}: must be {2 * size} hexadecimal digits.")
    return found
