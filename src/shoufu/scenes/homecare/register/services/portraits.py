"""The face of who gives care: made anew as a small square, encrypted with their key, and gone when they are."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.media import pictures, sealed, store
from shoufu.kernel.media.store import Stored
from shoufu.scenes.homecare.register import selectors
from shoufu.scenes.homecare.register.models import Portrait, Practitioner
from shoufu.scenes.homecare.register.services.common import MANAGE

FIELD = "portrait"
SIDE = 480
"""Pixels of a side of what is kept."""
LIMITS = pictures.Limits(10 * pictures.MIB, 40_000_000, least_side=240, still=True)
TYPE = "image/jpeg"


def squared(content: bytes) -> bytes:
    """The middle of a picture as a square JPEG of pixels alone. Invalid says what is wrong with it."""
    image = pictures.upright(content, FIELD, LIMITS)
    return pictures.plain_jpeg(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))


def may_portray(actor: Actor, row: Practitioner) -> bool:
    """Whether the actor may change this portrait: who manages the register, and the person themselves."""
    manages = actor.is_system or actor.may(MANAGE, row.institution.place.path)
    return manages or selectors.practices(actor).filter(pk=row.pk).exists()


def _portrayed(actor: Actor, practitioner_id: int) -> Practitioner:
    """Somebody whose portrait the actor may change; NotFound, Forbidden, or Conflict for one who left."""
    row = selectors.practices(actor).filter(pk=practitioner_id).first()
    if row is not None:
        return row
    row = selectors.practitioner(actor, practitioner_id)
    require(actor, MANAGE, row.institution.place)
    if row.left_at is not None:
        raise Conflict(_("They have left this institution."))
    return row


def portray(actor: Actor, practitioner_id: int, content: bytes) -> Portrait:
    """Show somebody's face to their patients. It takes the place of the one before, whose bytes are deleted."""
    seen = _portrayed(actor, practitioner_id)
    plain = squared(content)
    key = subjects.keys_for([seen.person_id])[seen.person_id]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    row = Portrait(id=uuid7(), practitioner=seen, made_at=timezone.now())
    kept = sealed.put(key, row.pk, TYPE, row.made_at, plain)
    try:
        return _kept(actor, row, kept)
    except Exception:
        store.remove(kept.key)
        raise


@transaction.atomic
def _kept(actor: Actor, row: Portrait, kept: Stored) -> Portrait:
    """The row for bytes that are on the disk. Under the lock of the practitioner, who may have left meanwhile."""
    whose = Practitioner.objects.select_for_update().get(pk=row.practitioner_id)
    if whose.left_at is not None:
        raise Conflict(_("They have left this institution."))
    clear([whose.pk])
    row.key, row.size = kept.key, kept.size
    row.save(force_insert=True)
    _note(actor, "portray", row.practitioner)
    return row


@transaction.atomic
def unportray(actor: Actor, practitioner_id: int) -> None:
    """Take somebody's portrait down, with its bytes. NotFound where there is none."""
    row = _portrayed(actor, practitioner_id)
    if not clear([row.pk]):
        raise NotFound(_("There is no portrait that you may see."))
    _note(actor, "unportray", row)


def _note(actor: Actor, what: str, row: Practitioner) -> None:
    record(actor, Act(f"homecare.practitioner.{what}", row, row.institution.place_id, subject=row.person_id))


def clear(practitioners: Iterable[int]) -> int:
    """Delete portraits in the caller's transaction, and their bytes after its commit. Returns how many."""
    rows = Portrait.objects.filter(practitioner__in=list(practitioners))
    keys = list(rows.values_list("key", flat=True))
    rows.delete()
    for key in keys:
        transaction.on_commit(lambda key=key: store.remove(key))  # type: ignore[misc]
    return len(keys)


def picture(portrait: Portrait) -> bytes:
    """The JPEG of a portrait that a selector gave. NotFound where its bytes are gone from the disk."""
    person = portrait.practitioner.person_id
    key = subjects.known_keys([person]).get(person)
    try:
        if key is None:
            raise FileNotFoundError(portrait.key)
        return sealed.read(key, portrait.pk, portrait.key)
    except FileNotFoundError as error:
        said = _("The bytes of this portrait are gone; restore them from the backup, or send it anew.")
        raise NotFound(said) from error
