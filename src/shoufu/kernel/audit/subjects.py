import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from shoufu.kernel.audit.models import SubjectKey
from shoufu.kernel.base import keyring
from shoufu.kernel.base.keyring import KEY_BYTES, CannotDecrypt
from shoufu.kernel.base.lookups import among

_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)


class Erased(CannotDecrypt):
    """The person's key was erased: what it encrypted is gone for good."""


def _context(subject: int) -> bytes:
    return f"subject:{subject}".encode()


def keys_for(subjects: Iterable[int]) -> dict[int, bytes | None]:
    """The data key of each person, made where there is none; None where it was erased. At most three queries."""
    wanted = set(subjects)
    found = _read(wanted)
    missing = wanted - set(found)
    if missing:
        made = {subject: secrets.token_bytes(KEY_BYTES) for subject in sorted(missing)}
        own = _insert(made)
        found |= {subject: made[subject] for subject in own}
        if len(own) < len(made):  # another transaction made the same key: the first one counts
            found |= _read(missing - own)
    return found


INSERT = """
INSERT INTO audit_subjectkey (subject, key, made_at)
SELECT subject, key, now() FROM unnest(%s::bigint[], %s::bytea[]) AS made (subject, key)
ON CONFLICT DO NOTHING RETURNING subject
"""


def _insert(made: Mapping[int, bytes]) -> set[int]:
    """Keep new keys; the persons who had none, whose keys these now are."""
    ring = keyring.ring()
    sealed = [ring.encrypt(key, _context(subject)) for subject, key in made.items()]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [list(made), sealed])
        return {row[0] for row in cursor.fetchall()}


def _read(subjects: Iterable[int]) -> dict[int, bytes | None]:
    ring = keyring.ring()
    rows = SubjectKey.objects.filter(among("subject", subjects)).values_list("subject", "key", "erased_at")
    return {subject: None if erased else ring.decrypt(bytes(key), _context(subject)) for subject, key, erased in rows}


def known_keys(subjects: Iterable[int]) -> dict[int, bytes | None]:
    """The data keys that exist; makes none (one query)."""
    return _read(subjects)


def seal_text(key: bytes, text: str, subject: int, field: str) -> bytes:
    """The text encrypted for one person's field."""
    return keyring.seal(key, text.encode(), f"{subject}:{field}".encode())


def unseal_text(key: bytes | None, sealed: bytes, subject: int, field: str) -> str:
    """The text of one person's field; Erased when the person's key is gone."""
    if key is None:
        raise Erased(f"the data of person {subject} was erased")
    return keyring.unseal(key, bytes(sealed), f"{subject}:{field}".encode()).decode()


def seal_bytes(key: bytes, content: bytes, subject: int, name: str) -> bytes:
    """A file encrypted under one person's key."""
    return keyring.seal(key, content, f"{subject}:{name}".encode())


def unseal_bytes(key: bytes | None, sealed: bytes, subject: int, name: str) -> bytes:
    """The bytes of one person's file; Erased when the person's key is gone."""
    if key is None:
        raise Erased(f"the data of person {subject} was erased")
    return keyring.unseal(key, bytes(sealed), f"{subject}:{name}".encode())


def seal_fields(key: bytes, fields: Mapping[str, Any], subject: int) -> bytes:
    """Personal fields of an audit entry, encrypted with the person's key."""
    return seal_text(key, _encoder.encode(dict(fields)), subject, "audit")


def unseal_fields(key: bytes | None, sealed: bytes, subject: int) -> dict[str, Any]:
    """The personal fields of an audit entry; Erased when the person's key is gone."""
    fields: dict[str, Any] = json.loads(unseal_text(key, sealed, subject, "audit"))
    return fields


def erase(subject: int) -> None:
    """Forget a person's key; nothing that it encrypted can be read again."""
    now = timezone.now()
    SubjectKey.objects.update_or_create(subject=subject, defaults={"key": b"", "erased_at": now})


def rewrap() -> int:
    """Encrypt every person's key with the active key of the ring after a rotation; how many were rewrapped."""
    ring = keyring.ring()
    changed = []
    for row in SubjectKey.objects.select_for_update().filter(erased_at__isnull=True).order_by("subject"):
        if ring.number_of(bytes(row.key)) == ring.active:
            continue
        context = _context(row.subject)
        row.key = ring.encrypt(ring.decrypt(bytes(row.key), context), context)
        changed.append(row)
    SubjectKey.objects.bulk_update(changed, ["key"], batch_size=2000)
    return len(changed)
