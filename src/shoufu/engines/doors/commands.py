"""Orders from the console to a controller, signed by the server."""

from __future__ import annotations

import base64
import json
from enum import StrEnum
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class CommandName(StrEnum):
    """What a controller can be told."""

    OPEN = "open"
    MODE = "mode"
    RELEASE = "release"
    FORGIVE = "forgive"
    RESET_FIRE = "reset-fire"
    UNLOCK_PIN = "unlock-pin"


class Command(msgspec.Struct, kw_only=True):
    """One order. ``door`` None: all doors of the controller; ``expires`` Unix seconds."""

    id: str
    name: CommandName
    door: int | None = None
    parameters: dict[str, Any] = {}
    expires: int = 0
    signature: str = ""


def command_bytes(controller: str, command: Command) -> bytes:
    """What is signed: the controller's code and every field, as JSON with sorted keys and no spaces."""
    fields = {
        "controller": controller,
        "door": command.door,
        "expires": command.expires,
        "id": command.id,
        "name": str(command.name),
        "parameters": command.parameters,
    }
    return (
        b"shoufu door command 1\n"
        + json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    )


def sign_command(key: Ed25519PrivateKey, controller: str, command: Command) -> Command:
    """The command with its signature."""
    signature = key.sign(command_bytes(controller, command))
    return msgspec.structs.replace(command, signature=base64.urlsafe_b64encode(signature).decode())


def verify_command(public_keys: list[bytes], controller: str, command: Command) -> bool:
    """Whether one of the keys (32 bytes each) signed this command for this controller."""
    try:
        signature = base64.urlsafe_b64decode(command.signature)
    except ValueError:
        return False
    content = command_bytes(controller, command)
    for key in public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False
