"""What other programs put here: create, change, delete; each version stays."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.fhir.rest import matching
from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.fhir import kinds, sealing, selectors, sources
from shoufu.scenes.homecare.fhir.faults import refused
from shoufu.scenes.homecare.fhir.kept import Kept
from shoufu.scenes.homecare.fhir.models import Stored, StoredVersion
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Patient


@dataclass(frozen=True)
class _Home:
    """Whose a resource is, where it counts and whom it is about."""

    institution: Institution | None
    place: Place
    person: int | None


def _act(action: str, row: Stored, reason: str = "", **data: Any) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.person_id, data={"type": row.type, **data})


def subject(content: dict[str, Any], base: str) -> int | None:
    """The key of the patient here whom a resource is about; None for another's, or nobody's."""
    parameter = kinds.subject_parameter(content["resourceType"])
    if parameter is None:
        return None
    for node in matching.found(content, parameter):
        reference = node.value.get("reference") if isinstance(node.value, dict) else None
        target = matching.target(reference) if isinstance(reference, str) else None
        if target is None or target.type != "Patient" or (target.url or "").rstrip("/") not in ("", base):
            continue
        key = sources.key_of("patient", target.id)
        if key is not None:
            return key
    return None


def _home(actor: Actor, content: dict[str, Any], base: str) -> _Home:
    key = subject(content, base)
    about = Patient.objects.select_related("place", "institution__place").filter(pk=key).first() if key else None
    if about is not None and register.patients(actor, ended=True).filter(pk=about.pk).exists():
        return _Home(about.institution, about.place, about.person_id)
    if key is not None:
        said = _("There is no %(what)s/%(id)s that you may see.") % {"what": "Patient", "id": f"patient-{key}"}
        raise refused(422, said, content["resourceType"], "not-found")
    mine = list(register.institutions(actor)[:2])
    if len(mine) == 1 and actor.may(selectors.WRITE, mine[0].place.path):
        return _Home(mine[0], mine[0].place, None)
    return _Home(None, selectors.widest(actor, selectors.WRITE), None)


@transaction.atomic
def create(actor: Actor, content: dict[str, Any], base: str, logical_id: str = "") -> Kept:
    """Keep a resource that the check took, under a new id (or the one that the caller made for it)."""
    home = _home(actor, content, base)
    require(actor, selectors.WRITE, home.place)
    institution = home.institution.pk if home.institution is not None else None
    row = Stored(
        type=content["resourceType"],
        logical_id=logical_id or str(uuid7()),
        institution_id=institution,
        place=home.place,
        person_id=home.person,
        key_of=sealing.owner(home.person, institution, home.place.pk),
        marks=sealing.marks(content),
        made_by_id=actor.user_id,
        changed_by_id=actor.user_id,
        updated_at=timezone.now(),
    )
    _seal(row, content)
    row.save(force_insert=True)
    record(actor, _act("homecare.fhir.create", row))
    return next(sources.Store.made([row]))


def _seal(row: Stored, content: dict[str, Any]) -> None:
    kept = sealing.sealed(content, row.key_of, f"{row.type}/{row.logical_id}")
    if kept is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    row.content = kept


def locked(actor: Actor, kind: str, logical_id: str, if_match: str | None) -> Stored:
    """The row to be changed; 404, 405 for the scene's own, 410 for a deleted one, 412 where it is another version."""
    row = selectors.stored(actor).select_for_update(of=("self",)).filter(type=kind, logical_id=logical_id).first()
    if row is None:
        if sources.is_own(actor, kind, logical_id):
            raise refused(405, _("This resource is kept by the home care pages; change it there."))
        raise refused(404, _("There is no %(what)s/%(id)s that you may see.") % {"what": kind, "id": logical_id[:64]})
    if row.deleted_at is not None:
        raise refused(410, _("%(what)s/%(id)s was deleted.") % {"what": kind, "id": logical_id})
    if if_match is not None and if_match != str(row.version):
        said = _("It was changed meanwhile: it is version %(now)s, not %(sent)s.")
        raise refused(412, said % {"now": row.version, "sent": if_match[:20]})
    require(actor, selectors.WRITE, row.place)
    return row


def _keep_version(row: Stored) -> None:
    StoredVersion.objects.create(
        stored=row, number=row.version, content=row.content, key_of=row.key_of, at=row.updated_at, by=row.changed_by
    )


@transaction.atomic
def update(actor: Actor, kind: str, logical_id: str, content: dict[str, Any], base: str, if_match: str | None) -> Kept:
    """The next version of a stored resource; the one before stays to be read."""
    row = locked(actor, kind, logical_id, if_match)
    home = _home(actor, content, base)
    require(actor, selectors.WRITE, home.place)
    _keep_version(row)
    if home.institution is not None:
        row.institution, row.place = home.institution, home.place
    row.person_id = home.person
    row.key_of = sealing.owner(row.person_id, row.institution_id, row.place_id)
    row.marks = sealing.marks(content)
    row.version, row.updated_at, row.changed_by_id = row.version + 1, timezone.now(), actor.user_id
    _seal(row, content)
    row.save()
    record(actor, _act("homecare.fhir.update", row, version=row.version))
    return next(sources.Store.made([row]))


@transaction.atomic
def delete(actor: Actor, kind: str, logical_id: str, if_match: str | None) -> None:
    """Delete a stored resource: it is found no more, its earlier versions stay to be read."""
    row = locked(actor, kind, logical_id, if_match)
    _keep_version(row)
    row.version, row.updated_at, row.changed_by_id = row.version + 1, timezone.now(), actor.user_id
    row.content, row.marks, row.deleted_at = b"", [], row.updated_at
    row.save()
    record(actor, _act("homecare.fhir.delete", row, version=row.version))


def one_at_a_time(kind: str, condition: str) -> None:
    """Until the transaction ends nobody else creates on the same condition: of two that ask at once one creates."""
    number = int.from_bytes(hashlib.sha256(f"{kind}?{condition}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
