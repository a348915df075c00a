"""Erasing a person everywhere, with a receipt and a tombstone by which the erasure can be proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases.models import Evidence
from shoufu.kernel.media import store
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations, deposits, proofs, selectors
from shoufu.kernel.privacy.declarations import Held, Receipt, Subject
from shoufu.kernel.privacy.erasure import broker, files, history, media, observations, tables
from shoufu.kernel.privacy.erasure.patterns import pattern
from shoufu.kernel.privacy.erasure.subject import gather, shared_with_others
from shoufu.kernel.privacy.erasure.tables import Gone, Kept
from shoufu.kernel.privacy.models import LegalHold, Tombstone


@dataclass
class Outcome:
    """What goes, or went: per table, files and receipts; what is kept and why; until when back-ups hold it.

    `shared` counts identifiers that others carry too and that therefore stay where they stand.
    """

    person: int
    dry_run: bool
    tables: list[Gone] = field(default_factory=list)
    observations: int = 0
    history: dict[str, int] = field(default_factory=dict)
    media: int = 0
    logs: dict[str, int] = field(default_factory=dict)
    broker: dict[str, Any] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    shared: int = 0
    backups_until: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON; names nobody."""
        return asdict(self) | {"held": [_plain(one) for one in self.held]}


def _plain(held: Held) -> dict[str, Any]:
    return asdict(held) | {"until": held.until.isoformat() if held.until else None}


def erase(actor: Actor, person_id: int, reason: str, *, dry_run: bool = False) -> Outcome:
    """Erase everything held on a person, or list what would go (`dry_run`).

    Needs "privacy.manage" at the person's place. Files first (they can be done again), then one transaction for all
    tables with the tombstone, then the bytes of pictures. What a legal hold or an open case keeps stays, and is named
    with its reason. NotFound for a person whom the actor may not erase; Conflict for one who is erased already.
    """
    person = _erasable(actor, person_id)
    if not dry_run and not reason.strip():
        raise Invalid.one("reason", _("Say on what ground the data is erased."))
    subject = gather(person)
    others = shared_with_others(subject)
    own = [item for item in subject.identifiers if item.text not in others]
    task = _Task(actor, subject, pattern(own), Outcome(person.pk, dry_run, shared=len(others)), reason.strip(), own)
    task.outcome.backups_until = _backups_end().date().isoformat()
    task.look()
    if dry_run:
        return task.outcome
    task.files()
    keys = task.tables()
    for key in keys:
        store.remove(key)
    return task.outcome


def _erasable(actor: Actor, person_id: int) -> Person:
    rows = policy.limit(Person.objects.select_related("place"), actor, selectors.MANAGE)
    person = rows.filter(pk=person_id).first()
    if person is None:
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    if person.erased_at is not None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return person


@dataclass(frozen=True)
class _Hold:
    number: str
    reason: str
    until: date


def _holds() -> dict[int, _Hold]:
    """Cases under a hold: an authority's with its end, or the evidence's own, which is looked at again on a day."""
    from shoufu.kernel.evidence.models import Hold

    own = Hold.objects.filter(lifted_at__isnull=True).select_related("case")
    found = {row.case_id: _Hold(row.case.number, row.reason, row.review_at) for row in own}
    rows = LegalHold.objects.filter(released_at__isnull=True, until__gt=timezone.now()).select_related("case")
    for row in rows:
        found[row.case_id] = _Hold(row.case.number, f"{row.authority}: {row.reason}", row.until.date())
    return found


def _backups_end() -> datetime:
    return timezone.now() + timedelta(days=settings.BACKUP_DAYS)


@dataclass
class _Task:
    actor: Actor
    subject: Subject
    wanted: str
    outcome: Outcome
    reason: str
    own: Sequence[declarations.Identifier]
    kept: Kept = field(default_factory=Kept)
    concerned: list[int] = field(default_factory=list)

    def look(self) -> None:
        """What is there, what is held, and how much of each."""
        outcome, subject = self.outcome, self.subject
        holds = _holds()
        seen = Evidence.objects.filter(case__in=holds, observation__isnull=False).values_list("observation", flat=True)
        self.kept = Kept(cases=tuple(holds), observations=tuple(str(one) for one in seen))
        self.named = observations.naming(self.wanted, subject.features, self.kept.observations)
        self.media = media.choose(self.wanted, subject, self.named.media, holds, self.own)
        self.kept = Kept(self.kept.cases, self.kept.observations, tuple(str(one) for one in self.media.kept))
        self.holdings = declarations.holdings()
        outcome.tables = tables.plan(self.holdings, subject)
        if self.wanted:
            for table in tables.swept():
                count = tables.sweep(table, self.wanted, self.kept, write=False)
                if count:
                    outcome.tables.append(Gone(table.name, "scrub", count))
        outcome.observations, outcome.media = len(self.named.ids), len(self.media.gone)
        outcome.history = asdict(history.erase(self.wanted, subject.features, self.kept.observations, write=False))
        outcome.logs = files.scrub_logs(self.wanted, write=False)
        outcome.held = self._held(holds)

    def _held(self, holds: dict[int, _Hold]) -> list[Held]:
        found = []
        for case_id, hold in holds.items():
            only = Kept(cases=(case_id,))
            rows = sum(tables.held_rows(table, self.wanted, only) for table in tables.swept()) if self.wanted else 0
            if rows:
                self.concerned.append(case_id)
                why = _("Legal hold: %(why)s") % {"why": hold.reason}
                found.append(Held(f"case {hold.number}", rows, why, hold.until))
        for case in {case.pk: case for case in self.media.kept.values()}.values():
            count = sum(1 for one in self.media.kept.values() if one.pk == case.pk)
            found.append(Held(f"media of {case.number}", count, _("Evidence of a case that is open or under a hold.")))
        found += [one.held() for one in deposits.due(self.subject)]
        for hook in declarations.hooks():
            found += list(hook.held(self.subject)) if hook.held else []
        return found

    def _noted(self) -> Kept:
        """What was kept of this person: of all that is under a hold, the receipt names no more than concerns them."""
        found: set[str] = set()
        if self.kept.observations:
            every = observations.naming(self.wanted, self.subject.features, ())
            found = {str(one) for one in every.ids} & set(self.kept.observations)
        return Kept(tuple(self.concerned), tuple(sorted(found)), self.kept.media)

    def files(self) -> None:
        """History, logs and the broker: done first, because they can be done again while the person still stands."""
        outcome, features, kept = self.outcome, self.subject.features, self.kept.observations
        outcome.history = asdict(history.erase(self.wanted, features, kept, write=True))
        outcome.logs = files.scrub_logs(self.wanted, write=True)
        done = broker.erase(self.wanted, write=True)
        outcome.broker = asdict(done)
        if not done.reached:
            outcome.receipts.append(Receipt("broker", done.problem, done=False))

    @transaction.atomic
    def tables(self) -> list[str]:
        """Everything in the database, with the tombstone; the keys of the pictures whose bytes go now."""
        outcome, subject = self.outcome, self.subject
        outcome.receipts += [Receipt("deposit", str(row.pk)) for row in deposits.put_away(subject)]
        for hook in declarations.hooks():
            outcome.receipts += list(hook.ended(self.actor, subject, self.reason)) if hook.ended else []
        place = Person.objects.select_related("place").get(pk=subject.person).place
        parties.erase_person(_as_manager(self.actor), subject.person, self.reason)
        done = tables.apply(self.holdings, subject)
        outcome.observations = observations.delete(self.named.ids)
        keys = media.delete(self.media)
        if self.wanted:
            for table in tables.swept():
                count = tables.sweep(table, self.wanted, self.kept, write=True)
                done += [Gone(table.name, "scrub", count)] if count else []
        outcome.tables = done
        self._tombstone(place.pk)
        data = {"tables": len(done), "observations": outcome.observations, "media": outcome.media}
        act = Act("privacy.erase", place=place.pk, data=data, object_type="parties.person",
                  object_id=str(subject.person), reason=self.reason)  # fmt: skip
        record(self.actor, act)
        return keys

    def _tombstone(self, place: int) -> None:
        now = timezone.now()
        number, tokens = proofs.sealed(self.own)
        Tombstone.objects.create(
            person=self.subject.person,
            code_hash=proofs.code_hash(self.subject.code),
            key_number=number,
            tokens=[token.stored() for token in tokens],
            place=place,
            erased_at=now,
            reason=self.reason[:200],
            receipt=self.outcome.as_dict() | {"kept": asdict(self._noted())},
            proof_until=now + timedelta(days=max(Tombstone.RETENTION_DAYS, settings.BACKUP_DAYS)),
        )


class _Manager(Actor):
    """The same actor with the right that the erasure of a person rests on, which was checked as "privacy.manage"."""

    def may(self, permission: str, path: str) -> bool:
        return permission in ("parties.view", "parties.manage") or super().may(permission, path)


def _as_manager(actor: Actor) -> Actor:
    if actor.is_system:
        return actor
    return _Manager(actor.kind, actor.id, actor.label, actor.grants, actor.language)
