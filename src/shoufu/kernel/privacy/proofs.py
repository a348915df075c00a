"""Proving that nothing is left: looking through everything by what was known of a person, or by its keyed hashes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base import keyring
from shoufu.kernel.base.errors import NotFound, Problem
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy.declarations import Identifier
from shoufu.kernel.privacy.models import Tombstone
from shoufu.kernel.privacy.search.catalogue import quote, tables
from shoufu.kernel.privacy.search.places import Found, Search, as_dict
from shoufu.kernel.privacy.search.tokens import Hasher, Searcher, Token

DOMAIN = "privacy.proof"
# What somebody did stays under the name of their account: the chain cannot be changed, and says who acted.
OWN_ACTS = ("audit_auditentry", "actor_label")


@dataclass
class Proof:
    """`remaining`: places where an identifier still stands. `kept`: those that a duty keeps, each with its reason.

    `searched` counts what was looked through; `found` lists where (at most a thousand), without the identifier.
    """

    remaining: int
    searched: dict[str, Any]
    found: list[dict[str, str]] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)
    shared: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _hasher(number: int) -> Hasher:
    ring = keyring.ring()
    numbers = sorted(ring.keys, reverse=True)
    if number not in numbers:
        raise Problem(
            _("The proof cannot be made"),
            _("Key %(n)d of the key ring was dropped; only it recognises what was erased.") % {"n": number},
            409,
            "proof",
        )
    return Hasher(ring.lookups("hasher", DOMAIN)[numbers.index(number)])


def sealed(identifiers: Iterable[Identifier]) -> tuple[int, list[Token]]:
    """The tokens that a tombstone keeps, and the number of the key that makes them."""
    number = keyring.ring().active
    return number, _hasher(number).tokens(identifiers)


def code_hash(code: str) -> bytes:
    """The keyed hash under which an erased person is found by the code that they had."""
    return keyring.ring().lookup(code, f"{DOMAIN}.code")


def tombstone(code: str) -> Tombstone | None:
    """The tombstone of an erased person by their code, or by "erased-17" or the number alone."""
    hashes = keyring.ring().lookups(code, f"{DOMAIN}.code")
    found = Tombstone.objects.filter(code_hash__in=hashes).first()
    number = code.removeprefix("erased-")
    return found or (Tombstone.objects.filter(person=int(number)).first() if number.isdigit() else None)


def person(code: str) -> Person | None:
    """A person who is not erased, by code or number."""
    rows = Person.objects.select_related("place").filter(erased_at__isnull=True)
    found = rows.filter(code=code).first()
    return found or (rows.filter(pk=int(code)).first() if code.isdigit() else None)


def prove(code: str, extra: Sequence[Identifier] = ()) -> Proof:
    """Look through everything for a person, erased or not, and for further identifiers (`extra`).

    NotFound where neither a person nor a tombstone has this code.
    """
    stone = tombstone(code)
    if stone is not None:
        return prove_erased([stone], extra)
    living = person(code)
    if living is None and not extra:
        raise NotFound(_("There is no person and no erasure with the code “%(code)s”.") % {"code": code})
    from shoufu.kernel.privacy.erasure import gather

    hasher = _hasher(keyring.ring().active)
    known = list(gather(living).identifiers) if living else []
    tokens = hasher.tokens([*known, *extra])
    return _proof(Search(Searcher(hasher, tokens)).everything(), tokens, [], 0)


def prove_erased(stones: Sequence[Tombstone], extra: Sequence[Identifier] = ()) -> Proof:
    """Look through everything once for several erased people; notes the outcome in their tombstones."""
    number = keyring.ring().active
    tokens: list[Token] = []
    for stone in stones:
        if not stone.tokens:
            raise Problem(
                _("The proof cannot be made"),
                _("What recognises person %(id)s was removed on %(day)s, as promised at the erasure.")
                % {"id": stone.person, "day": f"{stone.proof_until:%Y-%m-%d}"},
                409,
                "proof",
            )
        if stone.key_number != number:
            number = stone.key_number
        tokens += [Token.of_stored(row) for row in stone.tokens]
    hasher = _hasher(number)
    others = _carried_by_others(hasher)
    own = [token for token in tokens if token.digest not in others]
    own += hasher.tokens(extra)
    search = Search(Searcher(hasher, own)).everything()
    proof = _proof(search, own, stones, len(tokens) + len(extra) - len(own))
    Tombstone.objects.filter(pk__in=[stone.pk for stone in stones]).update(
        proved_at=timezone.now(), remaining=proof.remaining
    )
    return proof


def _carried_by_others(hasher: Hasher) -> set[str]:
    """Digests of the names that living people carry: a namesake's name is no remainder."""
    from shoufu.kernel.access.models import User
    from shoufu.kernel.parties.models import Vehicle
    from shoufu.kernel.privacy.declarations import Sort

    people = Person.objects.filter(erased_at__isnull=True)
    names = set(people.values_list("name", flat=True)) | set(User.objects.values_list("display_name", flat=True))
    found = [Identifier(Sort.NAME, name, "name") for name in names if name]
    found += [Identifier(Sort.NUMBER, plate, "plate") for plate in Vehicle.objects.values_list("plate", flat=True)]
    lookups = people.filter(phone_lookup__isnull=False).values_list("phone_lookup", flat=True)
    found += [Identifier(Sort.HASH, bytes(value).hex(), "phone hash") for value in lookups if value]
    return {token.digest for token in hasher.tokens(found)}


def _proof(search: Search, tokens: Sequence[Token], stones: Sequence[Tombstone], shared: int) -> Proof:
    search.searched.identifiers = len(tokens)
    kept_rows = _kept_rows(stones)
    remaining: list[dict[str, str]] = []
    kept: list[dict[str, str]] = []
    for found in dict.fromkeys(search.found):
        reason = _kept(found, kept_rows)
        line = {"where": found.where, "column": found.column, "row": found.row, "what": found.what}
        (kept if reason else remaining).append(line | ({"why": reason} if reason else {}))
    beyond = search.count - len(search.found)
    return Proof(len(remaining) + beyond, as_dict(search.searched), remaining, kept, shared)


def _kept_rows(stones: Sequence[Tombstone]) -> dict[tuple[str, str], str]:
    """(table or file, row) that a hold kept at the erasure → why."""
    found: dict[tuple[str, str], str] = {}
    for stone in stones:
        kept = stone.receipt.get("kept", {})
        why = _("kept by a hold, see the receipt")
        for table in tables():
            column = "id" if table.name in ("cases_case", "obs", "media_mediaobject") else "case_id"
            ids: list[Any] = {"obs": kept.get("observations"), "media_mediaobject": kept.get("media")}.get(
                "obs" if table.name.startswith("obs_") else table.name, kept.get("cases")
            ) or []
            if not ids or table.parent or not table.has(column if not table.name.startswith("obs_") else "id"):
                continue
            column = "id" if table.name.startswith("obs_") else column
            with connection.cursor() as cursor:
                query = f"SELECT ctid::text FROM {table.quoted} WHERE {quote(column)}::text = ANY(%s)"
                cursor.execute(query, [[str(one) for one in ids]])
                found |= {(table.name, row[0]): why for row in cursor.fetchall()}
        found |= {(f"media:{one}", ""): why for one in kept.get("media", [])}
    return found


def _kept(found: Found, rows: dict[tuple[str, str], str]) -> str:
    if (found.where, found.column) == OWN_ACTS:
        return _("acts in the person's own name; the chain of the audit log cannot be changed")
    for media in (where for where, _row in rows if where.startswith("media:")):
        if media.removeprefix("media:") in found.where:
            return rows[media, ""]
    return rows.get((found.where, found.row), "")
