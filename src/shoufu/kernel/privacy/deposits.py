"""What a law keeps of an erased person: put away encrypted, out of every page and interface, until its day."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy.declarations import Duty, Held, Holding, Subject
from shoufu.kernel.privacy.erasure import tables
from shoufu.kernel.privacy.models import Deposit, DepositPart
from shoufu.kernel.privacy.selectors import MANAGE

# Keys of deposits lie among those of people, under numbers that nobody has: they are brought under a new key of the
# ring with all others, and destroyed like them.
NUMBER = -3 * 10**15
ROWS = 2_000
"""Rows in one part of a deposit."""


@dataclass(frozen=True)
class Due:
    """What a duty keeps of a person: how many rows, and until when."""

    duty: Duty
    until: date
    count: int

    def held(self) -> Held:
        """In the words of who reads."""
        english = (get_language() or "").startswith("en")
        what, law = (self.duty.name, self.duty.law) if english else (self.duty.name_zh, self.duty.law_zh)
        return Held(what, self.count, law, self.until)


def due(subject: Subject) -> list[Due]:
    """What laws keep of a person if they are erased now."""
    found = []
    for duty in declarations.duties().values():
        since = duty.since(subject)
        until = since + timedelta(days=duty.days) if since is not None else None
        if until is None or until <= timezone.localdate():
            continue
        count = sum(rows.count() for _holding, rows in _rows(duty, subject))
        found += [Due(duty, until, count)] if count else []
    return found


def _rows(duty: Duty, subject: Subject) -> Iterator[tuple[Holding, QuerySet[Any]]]:
    for holding in declarations.holdings():
        rows = tables.rows_of(holding, subject) if holding.duty == duty.code else None
        if rows is not None:
            yield holding, rows.order_by("pk")


def put_away(subject: Subject) -> list[Deposit]:
    """Keep what laws ask for, in the transaction of the erasure and before anything goes.

    Each deposit lies under a key of its own, so that the person's key can be destroyed with everything else.
    """
    return [_put_away(one, subject) for one in due(subject)]


def _put_away(due: Due, subject: Subject) -> Deposit:
    duty = due.duty
    row = Deposit.objects.create(
        person=subject.person,
        place_id=subject.place,
        duty=duty.code,
        name=duty.name,
        name_zh=duty.name_zh,
        law=duty.law,
        law_zh=duty.law_zh,
        count=due.count,
        made_at=timezone.now(),
        until=due.until,
    )
    key = subjects.keys_for([NUMBER - row.pk])[NUMBER - row.pk]
    assert key is not None
    # What is kept must not depend on the language of who erases.
    with translation.override("zh-hans"):
        for number, (name, content) in enumerate(_parts(duty, subject)):
            sealed = subjects.seal_bytes(key, content, NUMBER - row.pk, f"{number}:{name}")
            DepositPart.objects.create(deposit=row, number=number, name=name, content=sealed)
    return row


def _parts(duty: Duty, subject: Subject) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every part: who the person was, the rows of each table, and their files."""
    yield "person.json", _json([_who(subject)])
    for holding, rows in _rows(duty, subject):
        table, at = holding.table._meta.db_table, 0
        while chunk := list(rows[at : at + ROWS]):
            if holding.keep is not None or holding.export:
                yield f"{table}-{at // ROWS + 1}.json", _json([_shown(holding, one) for one in chunk])
            if holding.file is not None:
                files = filter(None, map(holding.file, chunk))
                yield from ((f"{table}/{name}", content) for name, content in files)
            at += ROWS


def _who(subject: Subject) -> dict[str, Any]:
    from shoufu.kernel.privacy.exports import numbers

    person = Person.objects.get(pk=subject.person)
    return {"name": person.name, "born": person.born, "code": person.code, **numbers(person)}


def _shown(holding: Holding, row: Any) -> Mapping[str, Any]:
    from shoufu.kernel.privacy.exports import shown

    return holding.keep(row) if holding.keep is not None else shown(holding, row)


def _json(rows: list[Mapping[str, Any]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1, default=str).encode()


def deposits(actor: Actor) -> QuerySet[Deposit]:
    """What is kept by law in the actor's places, without its content; the next to go first."""
    return policy.limit(Deposit.objects.select_related("place"), actor, MANAGE).order_by("until", "pk")


@transaction.atomic
def hand_over(actor: Actor, deposit_id: int, authority: str, reason: str, target: Path) -> Deposit:
    """Write a deposit in clear to a new ZIP file (mode 0600), for an authority that asks by law; leaves an entry.

    Needs "privacy.manage" at the place where the person belonged. `reason` names the document, and nobody.
    """
    row = deposits(actor).filter(pk=deposit_id).first()
    if row is None:
        raise NotFound(_("There is no deposit %(id)s that you may see.") % {"id": deposit_id})
    given = {"authority": authority.strip(), "reason": reason.strip()}
    if missing := [FieldError(name, _("Must not be empty.")) for name, text in given.items() if not text]:
        raise Invalid(*missing)
    said = f"{given['authority']}: {given['reason']}"
    record(actor, Act("privacy.hand_over", row, place=row.place_id, subject=row.person, reason=said))
    number = NUMBER - row.pk
    key = subjects.known_keys([number]).get(number)
    target.touch(mode=0o600, exist_ok=False)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for part in row.parts.order_by("number").iterator(chunk_size=1):
                name = f"{part.number}:{part.name}"
                made.writestr(part.name, subjects.unseal_bytes(key, bytes(part.content), number, name))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return row


@transaction.atomic
def expire(now: datetime) -> int:
    """Remove deposits whose day has come, and destroy their keys; how many."""
    past = list(Deposit.objects.select_for_update(of=("self",)).filter(until__lte=timezone.localdate(now)))
    for row in past:
        record(
            SYSTEM, Act("privacy.deposit_ended", row, place=row.place_id, data={"duty": row.duty, "rows": row.count})
        )
        subjects.erase(NUMBER - row.pk)
        row.delete()
    return len(past)
