"""What credentials are read by: sealed by the ring for visitors, and found by hashes of the ring for everybody."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from shoufu.kernel.audit import subjects
from shoufu.kernel.base import keyring
from shoufu.kernel.base.keyring import CannotDecrypt
from shoufu.kernel.base.resealing import Column, chunks
from shoufu.kernel.doors.models import Credential
from shoufu.kernel.doors.services.credentials import family


def _context(pk: object) -> bytes:
    return f"credential:{pk}".encode()


class Lookups:
    """Hashes by which a card, PIN or plate is found; made anew of what is sealed."""

    where = "doors_credential.lookup"

    def reseal(self) -> int:
        rows = Credential._base_manager.filter(lookup__isnull=False, secret__isnull=False).order_by("pk")
        return sum(self._chunk(ids) for ids in chunks(rows))

    @transaction.atomic
    def _chunk(self, ids: Collection[int]) -> int:
        ring, done = keyring.ring(), 0
        rows = list(Credential._base_manager.select_for_update(of=("self",)).filter(pk__in=ids))
        keys = subjects.known_keys({row.person_id for row in rows if row.person_id is not None})
        for row in rows:
            value = _opened(row, keys.get(row.person_id or 0))
            lookup = ring.lookup(value, f"credential:{family(row.technology)}") if value is not None else None
            if lookup is not None and lookup != bytes(row.lookup or b""):
                Credential._base_manager.filter(pk=row.pk).update(lookup=lookup)
                done += 1
        return done

    def left(self, numbers: Collection[int]) -> int:
        """A hash does not say by which key it was made; whatever opens was made anew."""
        return 0


def _opened(row: Credential, key: bytes | None) -> str | None:
    """What is read; None where its person was erased, or its key is gone."""
    try:
        if row.person_id is not None:
            return subjects.unseal_text(key, bytes(row.secret or b""), row.person_id, f"credential:{row.pk}")
        return keyring.ring().decrypt(bytes(row.secret or b""), _context(row.pk)).decode()
    except CannotDecrypt:
        return None


sealings = (Column("doors.Credential", "secret", _context, Q(person__isnull=True)), Lookups())
