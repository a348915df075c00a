import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shoufu.engines import doors as engine
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.kernel.doors import compiling, keys
from shoufu.kernel.doors.models import (
    AccessPoint,
    Assignment,
    Controller,
    Credential,
    LevelDoor,
    Pass,
    Receipt,
    RuleSet,
)

log = logging.getLogger(__name__)
WAKE = "doors.wake"
"""Subject that wakes the edge: {"controllers": [device ids]} have a rule set to fetch, {"orders": [device ids]} an
order; whoever waits for the other is let sleep, since a revocation wakes many doors."""
KEEP = 3


def wake(device_ids: Iterable[int], *, orders: bool = False) -> None:
    """After the commit: tell the edges that these controllers have a rule set, or an order, to fetch."""
    publish_on_commit(WAKE, {"orders" if orders else "controllers": sorted(set(device_ids))})


@transaction.atomic
def publish(actor: Actor, controllers: Iterable[int], reason: str) -> dict[int, int]:
    """Compile and sign the rule sets of these controllers (device ids); those that need another version, with it.

    In the transaction of the change that made it necessary, so that the change and what doors go by are one. Nothing is
    made for a controller whose content stays the same or that is not trusted. Queries do not grow with their number.
    """
    wanted = Controller.objects.filter(device__in=set(controllers), trusted_at__isnull=False)
    # Locked in the order of their ids: of two changes the later one reads what the first has written.
    rows = list(wanted.select_for_update(of=("self",)).select_related("device").order_by("device_id"))
    if not rows:
        return {}
    now = timezone.now()
    material = compiling.read([row.device_id for row in rows], now)
    before = _newest(row.device_id for row in rows)
    made = [made for row in rows if (made := _rule_set(row, material, before.get(row.device_id), reason)) is not None]
    return _issue(actor, made, now)


def _issue(actor: Actor, made: list[RuleSet], now: datetime) -> dict[int, int]:
    RuleSet.objects.bulk_create(made)
    changed = [rule_set.controller for rule_set in made]
    for rule_set in made:
        controller = rule_set.controller
        controller.needed, controller.since = rule_set.version, controller.since or now
    Controller.objects.bulk_update(changed, ["needed", "since"])
    record_many(actor, [_act(rule_set) for rule_set in made])
    if changed:
        wake(controller.device_id for controller in changed)
    return {rule_set.controller_id: rule_set.version for rule_set in made}


@transaction.atomic
def withdraw(
    actor: Actor, credentials: Iterable[Credential], controllers: Iterable[int], reason: str
) -> dict[int, int]:
    """Publish the end (or suspension) of some credentials: as `publish`, but by changing the newest rule sets
    instead of compiling them, so that nobody else's credential is read however many a door knows.

    Sound because every change publishes in its own transaction: what is newest says what the tables say.
    """
    rows = list(
        Controller.objects.filter(device__in=set(controllers), trusted_at__isnull=False)
        .select_for_update(of=("self",))
        .select_related("device")
        .order_by("device_id")
    )
    if not rows:
        return {}
    now = timezone.now()
    gone = {bytes(row.key): row for row in credentials if row.key is not None}
    before = _newest(row.device_id for row in rows)
    held = _passes_at(gone.values())
    made = []
    for row in rows:
        last = before.get(row.device_id)
        if last is not None:
            made.append(_without(row, last, gone, held.get(row.device_id, set()), now, reason))
    return _issue(actor, [one for one in made if one is not None], now)


def _passes_at(credentials: Iterable[Credential]) -> dict[int, set[int]]:
    """Controller → the dated passes among these for its doors: a pass speaks for itself and must be refused by name."""
    listed = list(credentials)
    through = Pass.points.through.objects.filter(pass__credential__in=listed, pass__windows=[])
    found: dict[int, set[int]] = {}
    for controller, credential in through.values_list("accesspoint__controller_id", "pass__credential_id"):
        found.setdefault(controller, set()).add(credential)
    return found


def _without(
    row: Controller, last: RuleSet, gone: dict[bytes, Credential], passes: set[int], now: datetime, reason: str
) -> RuleSet | None:
    blob = bytes(last.blob)
    added = [
        msgspec.structs.replace(one, flags=one.flags | engine.Flag.REVOKED)
        for one in engine.blob.records_of(blob, gone)
        if gone[one.key].state in (Credential.State.SUSPENDED, Credential.State.LOST)
    ]
    added += [compiling.withdrawn_pass(one) for one in gone.values() if one.pk in passes]
    version = row.needed + 1
    body = engine.blob.patched(blob, version, int(now.timestamp()), gone, added)
    return _signed(row, last, body, version, now, reason)


def _newest(device_ids: Iterable[int]) -> dict[int, RuleSet]:
    rows = RuleSet.objects.filter(controller__in=list(device_ids)).order_by("controller_id", "-version")
    return {row.controller_id: row for row in rows.distinct("controller_id").defer("delta")}


def _rule_set(row: Controller, material: compiling.Material, last: RuleSet | None, reason: str) -> RuleSet | None:
    version = row.needed + 1
    rules = compiling.compiled(material, row.device_id, row.device.code, version)
    return _signed(row, last, engine.build(rules), version, material.now, reason)


def _signed(
    row: Controller, last: RuleSet | None, body: bytes, version: int, now: datetime, reason: str
) -> RuleSet | None:
    before = bytes(last.blob) if last is not None else b""
    if before and _content(body) == _content(before[: -engine.blob.SIGNATURE]):
        return None
    blob = engine.sign(body, keys.signing_key())
    return RuleSet(
        controller=row,
        version=version,
        blob=blob,
        delta=engine.delta(before, blob) if before else None,
        sha256=sha256(blob).digest(),
        credentials=engine.blob.count_of(body),
        issued_at=now,
        reason=reason[:80],
    )


def _content(body: bytes) -> bytes:
    """A rule set without its version and time of issue: magic 6, version 4, issued 8."""
    return body[18:]


def _act(rule_set: RuleSet) -> Act:
    return Act(
        "doors.publish",
        object_type="doors.ruleset",
        object_id=f"{rule_set.controller_id}/{rule_set.version}",
        place=rule_set.controller.device.place_id,
        data={"version": rule_set.version, "records": rule_set.credentials, "reason": rule_set.reason},
    )


def controllers_of_levels(levels: Iterable[int]) -> set[int]:
    """Controllers (device ids) of the doors of these levels."""
    rows = LevelDoor.objects.filter(level__in=set(levels), point__retired_at__isnull=True)
    return set(rows.values_list("point__controller_id", flat=True))


def controllers_of_credentials(credentials: Iterable[Credential]) -> dict[int, set[int]]:
    """Credential → the controllers that know it now or knew it lately. Three queries however many."""
    listed = list(credentials)
    people = {row.person_id for row in listed if row.person_id}
    lately = Q(until__isnull=True) | Q(until__gt=timezone.now() - timedelta(days=1))
    asked = Assignment.objects.filter(lately, Q(credential__in=listed) | Q(person__in=people))
    pairs = asked.filter(level__doors__point__retired_at__isnull=True).values_list(
        "person_id", "credential_id", "level__doors__point__controller_id"
    )
    by_person: dict[int, set[int]] = {}
    found: dict[int, set[int]] = {row.pk: set() for row in listed}
    for person, credential, controller in pairs:
        if person is not None:
            by_person.setdefault(person, set()).add(controller)
        elif credential in found:
            found[credential].add(controller)
    for row in listed:
        found[row.pk] |= by_person.get(row.person_id or 0, set())
    through = Pass.points.through.objects.filter(pass__credential__in=listed)
    for credential, controller in through.values_list("pass__credential_id", "accesspoint__controller_id"):
        found[credential].add(controller)
    return found


def receipts(asked: dict[int, set[int]], people: dict[int, int | None], versions: dict[int, int]) -> list[Receipt]:
    """One receipt a controller and credential that it must forget; done at once where it never held another version.

    `asked`: credential (0: a level only) → controllers; `people`: credential → person; `versions`: what `publish` made.
    """
    now = timezone.now()
    wanted = {controller for found in asked.values() for controller in found}
    known = Controller.objects.in_bulk(wanted)
    rows = []
    for credential, controllers in sorted(asked.items()):
        for controller in sorted(controllers & known.keys()):
            row = known[controller]
            needed = versions.get(controller, row.needed)
            done = now if row.held >= needed and controller not in versions else None
            rows.append(
                Receipt(
                    person_id=people.get(credential),
                    credential_id=credential or None,
                    controller=row,
                    version=needed,
                    asked_at=now,
                    done_at=done,
                )
            )
    return Receipt.objects.bulk_create(rows)


@transaction.atomic
def told_held(device_id: int, version: int, digest: str) -> bool:
    """A controller says which rule set it holds (`digest`: SHA-256 of the blob in hex); its receipts are then done.

    False where it holds something that this server never gave it: it is then given the whole. Without an actor and
    without an audit entry: a controller's word about itself is an observation, not an act. Two to four queries.
    """
    now = timezone.now()
    row = Controller.objects.select_for_update().filter(device=device_id).first()
    if row is None:
        return False
    genuine = version == 0 or any(
        bytes(one) == bytes.fromhex(digest)
        for one in RuleSet.objects.filter(controller=row, version=version).values_list("sha256", flat=True)
    )
    row.last_sync = now
    if genuine and version != row.held:
        row.held, row.held_at = version, now
        Receipt.objects.filter(controller=row, version__lte=version, done_at__isnull=True).update(done_at=now)
    if row.held >= row.needed:
        row.since = None
    elif row.since is None:
        row.since = now
    row.save(update_fields=["last_sync", "held", "held_at", "since"])
    return genuine


def content_for(device_id: int, have: int, digest: str, *, whole: bool = False) -> tuple[str, int, bytes] | None:
    """What a controller that holds `have` is to be given: ("delta" or "full", version, bytes); None when nothing."""
    rows = RuleSet.objects.filter(controller=device_id, controller__trusted_at__isnull=False)
    # Most looks find nothing new: the contents are read only when they are to be given.
    newest = rows.order_by("-version").defer("blob", "delta").first()
    if newest is None:
        return None
    if newest.version == have and bytes(newest.sha256).hex() == digest and not whole:
        return None
    newest.refresh_from_db(fields=["blob", "delta"])
    blob = bytes(newest.blob)
    if not have or whole:
        return "full", newest.version, blob
    change = _change(newest, device_id, have, digest)
    if change is None:
        return "full", newest.version, blob
    return ("delta", newest.version, change) if len(change) < len(blob) else ("full", newest.version, blob)


def _change(newest: RuleSet, device_id: int, have: int, digest: str) -> bytes | None:
    """The delta to the newest rule set from the one that is held; None where that one is not known here."""
    old = RuleSet.objects.filter(controller=device_id, version=have).defer("blob", "delta").first()
    if old is None or bytes(old.sha256).hex() != digest:
        return None
    if newest.delta and old.version == newest.version - 1:
        return bytes(newest.delta)
    return engine.delta(bytes(old.blob), bytes(newest.blob))


@transaction.atomic
def prune(actor: Actor) -> int:
    """Drop all but the newest rule sets of each controller, and what the controller holds; how many."""
    drop: list[int] = []
    held = dict(Controller.objects.values_list("device_id", "held"))
    count: dict[int, int] = {}
    rows = RuleSet.objects.order_by("controller_id", "-version").values_list("pk", "controller_id", "version")
    for pk, controller, version in rows:
        count[controller] = count.get(controller, 0) + 1
        if count[controller] > KEEP and version != held.get(controller):
            drop.append(pk)
    RuleSet.objects.filter(pk__in=drop).delete()
    return len(drop)


def points_below(path: str) -> set[int]:
    """Controllers (device ids) of the points in service at and below a place's path."""
    rows = AccessPoint.objects.filter(retired_at__isnull=True, place__path__startswith=path)
    return set(rows.values_list("controller_id", flat=True))
