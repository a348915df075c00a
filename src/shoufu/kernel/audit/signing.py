import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

from shoufu.kernel.audit.chain import Root, key_id, parse

TAIL = 8192


def folder() -> Path:
    """Where roots and public keys are exported: copy it to another machine regularly."""
    return Path(settings.DATA_ROOT) / "audit"


def roots_file() -> Path:
    return folder() / "roots.jsonl"


def private_key() -> Ed25519PrivateKey:
    """The signing key in the keys folder (mode 0600), made at the first call; its public half is exported."""
    path = Path(settings.KEYS_ROOT) / "audit.pem"
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        write_once(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key; restore it from the backup of the keys folder")
    public = key.public_key()
    write_once(folder() / f"{key_id(public)}.pem", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key


def public_keys(where: Path | None = None) -> dict[str, Ed25519PublicKey]:
    """The exported public keys by their id."""
    found: dict[str, Ed25519PublicKey] = {}
    for path in sorted((where or folder()).glob("*.pem")):
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            found[key_id(key)] = key
    return found


def write_once(path: Path, content: bytes) -> None:
    """Write a key file (mode 0600), on disk before it returns; what another process wrote first stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def append(roots: Iterable[Root]) -> None:
    """Append roots to the exported file, on disk before it returns. Half a line left by a crash is cut off first."""
    path = roots_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("ab+") as output:
        output.truncate(_whole_lines(output))
        output.write("".join(root.line() for root in roots).encode())
        output.flush()
        os.fsync(output.fileno())


def _whole_lines(file: BinaryIO) -> int:
    """Bytes up to the end of the last whole line (a root is shorter than TAIL)."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - TAIL))
    tail = file.read()
    return end - len(tail) + tail.rfind(b"\n") + 1


def lines(path: Path | None = None) -> Iterator[str]:
    """The lines of the exported file; none when there is no file."""
    where = path or roots_file()
    if not where.exists():
        return
    with where.open(encoding="utf-8") as source:
        yield from (line for line in source if line.strip())


def last_exported() -> int:
    """The sequence of the last root in the exported file; 0 when there is none."""
    path = roots_file()
    if not path.exists():
        return 0
    with path.open("rb") as source:
        end = source.seek(0, os.SEEK_END)
        source.seek(max(0, end - TAIL))
        tail = source.read().decode(errors="replace").splitlines()
    for line in reversed(tail):
        try:
            return parse(line).sequence
        except ValueError:
            continue
    return 0
