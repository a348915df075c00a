from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import doors as engine
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.doors import keys, paths
from shoufu.kernel.doors.models import AccessLevel, AccessPoint, Assignment, Credential, DoorGroup, Receipt, Technology
from shoufu.kernel.doors.services.common import MANAGE
from shoufu.kernel.doors.services.credential_states import apply_state
from shoufu.kernel.doors.services.credentials import identifier, name
from shoufu.kernel.doors.services.levels import (
    AssignmentDraft,
    DoorDraft,
    LevelDraft,
    assign,
    create_levels,
    end_assignments,
)
from shoufu.kernel.doors.services.rulesets import controllers_of_credentials, controllers_of_levels, publish, receipts
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.models import Place

PHONES = 5
OWN = "own.view"


@dataclass(frozen=True)
class PhoneKey:
    """What a phone needs to show its owner's rotating code: given once, kept there as a non-extractable HMAC key.

    Code of a moment: head = bytes([0x10 | group]) + identifier (6 bytes) + step (u32 big-endian, Unix seconds // 30);
    base45(head + HMAC-SHA256(key, head)[:8]) as the text of a QR code.
    """

    credential: Credential
    key: bytes
    group: int
    identifier: bytes
    step_seconds: int = 30


def own_person(actor: Actor) -> int | None:
    """The person whom the actor's account belongs to."""
    if actor.kind != "user" or not actor.may_anywhere(OWN):
        return None
    return Person.objects.filter(user__pk=int(actor.id)).values_list("pk", flat=True).first()


def require_person(actor: Actor, person_id: int, *rights: str) -> Person:
    """The person, for themselves or for whoever has one of the rights at their place; NotFound for everybody else."""
    person = Person.objects.select_related("place").filter(pk=person_id, erased_at__isnull=True).first()
    allowed = person is not None and (
        own_person(actor) == person_id or any(actor.may(right, person.place.path) for right in rights)
    )
    if person is None or not allowed:
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return person


@transaction.atomic
def admit(actor: Actor, people: Iterable[tuple[int, Place]]) -> list[Assignment]:
    """Give people the doors on the way to where they live: (person id, unit). Makes a level a unit where there is none.

    Constant queries. Who has the level already keeps it.
    """
    wanted = list(people)
    homes = {place.pk: place for _person, place in wanted}
    codes = {f"home-{place.code}": place for place in homes.values()}
    known = {row.code: row for row in AccessLevel.objects.filter(code__in=codes)}
    ways = paths.on_the_ways(place for code, place in codes.items() if code not in known)
    drafts = [
        LevelDraft(code, _("Residents"), place.pk, [DoorDraft(pk) for pk in ways[place.pk]], "Residents")
        for code, place in codes.items()
        if code not in known and ways[place.pk]
    ]
    known |= {row.code: row for row in create_levels(actor, drafts)} if drafts else {}
    rights = [
        AssignmentDraft(known[code].pk, person=person)
        for person, place in wanted
        if (code := f"home-{place.code}") in known
    ]
    return assign(actor, rights) if rights else []


@transaction.atomic
def resident_qr_key(actor: Actor, person_id: int, phone: str = "", place: int | None = None) -> PhoneKey:
    """Enrol a phone of a person: its key, which is shown this once. Listed and revocable like every credential.

    For the person themselves (or who manages doors there). `place`: the compound, where they have doors in several.
    """
    person = require_person(actor, person_id, MANAGE)
    group = _group_of(person, place)
    active = Credential.objects.filter(person=person, technology=Technology.QR, state=Credential.State.ACTIVE)
    if active.count() >= PHONES:
        words = {"n": PHONES}
        raise Invalid.one("phone", _("%(n)d phones are enrolled; remove one first.") % words)
    now = timezone.now()
    row = Credential(
        place=group.place,
        person=person,
        technology=Technology.QR,
        label=phone.strip()[:80],
        valid_from=now,
        state_since=now,
    )
    row.save()
    name([row], [b""])
    row.save(update_fields=["key"])
    record(actor, Act("doors.enrol_phone", row, group.place_id, subject=person.pk))
    publish(actor, {one for found in controllers_of_credentials([row]).values() for one in found}, "phone")
    return phone_key(row, group)


def phone_key(row: Credential, group: DoorGroup) -> PhoneKey:
    """The key of a phone's credential; for the phone itself."""
    key = engine.resident_key(keys.qr_key(group.place.code, group.epoch), identifier(row.pk))
    return PhoneKey(row, key, group.number, identifier(row.pk))


def _group_of(person: Person, place: int | None) -> DoorGroup:
    levels = AccessLevel.objects.filter(assignments__person=person)
    still = Q(assignments__until__isnull=True) | Q(assignments__until__gt=timezone.now())
    points = AccessPoint.objects.filter(levels__level__in=levels.filter(still), retired_at__isnull=True)
    around = set(points.values_list("place__path", flat=True).distinct())
    groups = [
        group
        for group in DoorGroup.objects.select_related("place").order_by("place__path")
        if any(path.startswith(group.place.path) for path in around)
    ]
    found = next((group for group in groups if place is None or group.place_id == place), None)
    if found is None:
        raise Invalid.one("place", _("This person has no doors that take codes; ask the property office."))
    return found


@transaction.atomic
def revoke_phone(actor: Actor, credential_id: int) -> list[Receipt]:
    """A person removes one of their own phones, without asking anybody."""
    row = Credential.objects.select_for_update(of=("self",)).select_related("place").filter(pk=credential_id).first()
    if row is None or row.technology != Technology.QR or row.person_id is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": credential_id})
    require_person(actor, row.person_id, MANAGE)
    if row.state == Credential.State.REVOKED:
        return []
    return apply_state(actor, [row], Credential.State.REVOKED, _("removed by its owner"))


@transaction.atomic
def report_lost(actor: Actor, credential_id: int) -> list[Receipt]:
    """A person says that a card of theirs is lost: it opens nothing from now on."""
    row = Credential.objects.select_for_update(of=("self",)).select_related("place").filter(pk=credential_id).first()
    if row is None or row.person_id is None or row.state == Credential.State.REVOKED:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": credential_id})
    require_person(actor, row.person_id, MANAGE)
    if row.state == Credential.State.LOST:
        return []
    return apply_state(actor, [row], Credential.State.LOST, _("reported lost by its owner"))


@transaction.atomic
def end_person(
    actor: Actor, person_id: int, reason: str = "", path: str = "/", keep: Sequence[str] = (), *, erase: bool = False
) -> list[Receipt]:
    """Take all door rights of a person below a place away at this moment, with a receipt a controller.

    Their credentials are revoked, their levels end, and the passes that they gave end too. `path` narrows it to a
    subtree; `keep` are paths in which they go on living. With `erase` what was read of them is forgotten as well.
    Whoever may manage people or doors there may do it.
    """
    person = Person.objects.select_related("place").filter(pk=person_id).first()
    if person is None or not any(actor.may(right, person.place.path) for right in (MANAGE, "parties.manage")):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return end_rights(actor, person, reason, path, keep, erase=erase)


def end_rights(
    actor: Actor, person: Person, reason: str = "", path: str = "/", keep: Sequence[str] = (), *, erase: bool = False
) -> list[Receipt]:
    """The same for a caller that has checked the right: the register's and privacy's own acts (hooks)."""
    person_id = person.pk
    now, text = timezone.now(), reason.strip() or _("no longer lives or works here")
    ended = _end_levels(actor, person_id, path, keep, text)
    touched = controllers_of_levels(row.level_id for row in ended)
    state = Credential.State
    rows = Credential.objects.select_for_update(of=("self",)).filter(~Q(state=state.REVOKED)).select_related("place")
    own = Q(person=person_id) | Q(admission__host=person_id)
    listed = list(rows.filter(own, place__path__startswith=path).order_by("pk"))
    listed = [row for row in listed if not any(one.startswith(row.place.path) for one in keep)]
    done = apply_state(actor, listed, state.REVOKED, text)
    versions = publish(actor, touched, "left")
    left = touched - {row.controller_id for row in done}
    if left:
        done += receipts({0: left}, {0: person_id}, versions)
    if erase:
        gone = Credential.objects.filter(person=person_id)
        gone.update(secret=None, lookup=None, label="", holder="", key=None)
    record(actor, Act("doors.end_person", person, person.place_id, text, {"at": now.isoformat()}, subject=person_id))
    return done


def _end_levels(actor: Actor, person_id: int, path: str, keep: Sequence[str], reason: str) -> list[Assignment]:
    now = timezone.now()
    running = Assignment.objects.select_for_update(of=("self",)).select_related("level__place")
    rows = running.filter(Q(until__isnull=True) | Q(until__gt=now), person=person_id)
    rows = rows.filter(level__place__path__startswith=path).order_by("pk")
    ended = [row for row in rows if not any(one.startswith(row.level.place.path) for one in keep)]
    end_assignments(ended, now)
    record_many(
        actor,
        [
            Act("doors.unassign", row, row.level.place_id, reason, {"level": row.level.code}, subject=person_id)
            for row in ended
        ],
    )
    return ended


@transaction.atomic
def restore_person(actor: Actor, person_id: int, reason: str) -> int:
    """Undo the last `end_person` of a person: what it took within its moment is given back; how many credentials.

    Not after an erasure. Passes that they had given stay ended.
    """
    person = Person.objects.select_related("place").filter(pk=person_id, erased_at__isnull=True).first()
    if person is None or not any(actor.may(right, person.place.path) for right in (MANAGE, "parties.manage")):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return restore_rights(actor, person_id, reason)


def restore_rights(actor: Actor, person_id: int, reason: str) -> int:
    """The same for a caller that has checked the right."""
    rows = Credential.objects.filter(person=person_id, state=Credential.State.REVOKED, key__isnull=False)
    last = rows.order_by("-state_since").values_list("state_since", flat=True).first()
    back = list(rows.filter(state_since=last).select_related("place")) if last else []
    apply_state(actor, back, Credential.State.ACTIVE, reason.strip() or _("the ending was a mistake"))
    return len(back)


def require_doors(actor: Actor, right: str, points: Iterable[AccessPoint]) -> None:
    """Forbidden unless the actor has the right at each of these doors."""
    for point in points:
        if not actor.may(right, point.place.path):
            raise Forbidden(_("You need the right “%(right)s” at %(place)s.") % {"right": right, "place": point.label})
