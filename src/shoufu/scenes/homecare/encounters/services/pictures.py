"""The bytes of pictures: in pieces of any size from the beginning, again from where a phone broke off; whole and of the
declared SHA-256 they are encrypted with the patient's key and written for good."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound, Problem
from shoufu.kernel.media import sealed, store
from shoufu.scenes.homecare.encounters.models import Photo, Piece
from shoufu.scenes.homecare.encounters.services.common import act

MOST = sealed.MOST


def too_large(size: int) -> Problem:
    """413 with the limit in words."""
    said = _("A picture may have %(most)s MiB; this one has %(size)s. Make it smaller and send it again.")
    words = {"most": MOST >> 20, "size": round(size / (1 << 20), 1)}
    return Problem(_("The picture is too large"), said % words, 413, "too-large", extra={"most": MOST})


@dataclass(frozen=True)
class Progress:
    """How many bytes are here, of how many; `kept` once the picture is whole and written."""

    photo: Photo
    received: int
    refused: Problem | None = None

    @property
    def kept(self) -> bool:
        return self.photo.key is not None


def _mine(actor: Actor, photo_id: UUID) -> Photo:
    rows = Photo.objects.filter(pk=photo_id, encounter__practitioner__person__user=actor.user_id)
    found = rows.select_related("encounter__visit__patient", "encounter__patient").first() if actor.user_id else None
    if found is None:
        raise NotFound(_("No picture with this id was announced; send its line first."))
    return found


def progress(actor: Actor, photo_id: UUID) -> Progress:
    """How far a picture has come; NotFound where none of the actor's was announced."""
    photo = _mine(actor, photo_id)
    return Progress(photo, photo.size if photo.key else _received(photo))


def _received(photo: Photo) -> int:
    return photo.pieces.aggregate(sum=Sum("size"))["sum"] or 0


def piece(actor: Actor, photo_id: UUID, offset: int, content: bytes) -> Progress:
    """Take the next bytes. Conflict where they do not follow what is here: `received` says from where to go on. A
    picture that is complete and not what was announced is thrown away, to be sent from the beginning (Invalid)."""
    found = _piece(actor, photo_id, offset, content)
    if found.refused is not None:
        raise found.refused
    return found


@transaction.atomic
def _piece(actor: Actor, photo_id: UUID, offset: int, content: bytes) -> Progress:
    seen = _mine(actor, photo_id)
    photo = Photo.objects.select_for_update(of=("self",)).select_related("encounter__visit__patient").get(pk=seen.pk)
    if photo.key is not None:
        return Progress(photo, photo.size)
    received = _received(photo)
    if offset != received:
        raise Conflict(_("Go on from byte %(n)s.") % {"n": received}, received=received)
    if offset + len(content) > photo.size:
        raise Invalid.one("body", _("More bytes than the %(n)s that were announced.") % {"n": photo.size})
    if not content:
        raise Invalid.one("body", _("The file is empty."))
    secret = _secret(photo)
    if offset == 0 and len(content) == photo.size:
        return _whole(actor, photo, secret, content)
    Piece.objects.create(
        photo=photo, offset=offset, size=len(content), content=keyring.seal(secret, content, _context(photo, offset))
    )
    if offset + len(content) < photo.size:
        return Progress(photo, offset + len(content))
    pieces = photo.pieces.order_by("offset")
    plain = b"".join(keyring.unseal(secret, bytes(one.content), _context(photo, one.offset)) for one in pieces)
    return _whole(actor, photo, secret, plain)


def _context(photo: Photo, offset: int) -> bytes:
    return photo.pk.bytes + offset.to_bytes(8, "big")


def _secret(photo: Photo) -> bytes:
    person = photo.encounter.patient.person_id
    key = subjects.keys_for([person])[person]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return key


def _whole(actor: Actor, photo: Photo, secret: bytes, plain: bytes) -> Progress:
    photo.pieces.all().delete()
    if hashlib.sha256(plain).digest() != bytes(photo.sha256):
        return Progress(photo, 0, Invalid.one("body", _("Not the picture that was announced; send it again.")))
    try:
        kept = sealed.put(secret, photo.pk, photo.content_type, timezone.now(), plain)
    except Invalid as refusal:
        return Progress(photo, 0, refusal)
    photo.key, photo.kept_at = kept.key, timezone.now()
    photo.save(update_fields=["key", "kept_at"])
    record(actor, act("homecare.encounter.photo_kept", photo, photo.encounter.visit, size=kept.size))
    return Progress(photo, kept.size)


def content(photo: Photo) -> bytes:
    """A picture in clear, for callers that recorded the look. NotFound where its bytes are not here (yet)."""
    if photo.key is None:
        raise NotFound(_("This picture has not arrived yet."))
    try:
        return sealed.read(_secret(photo), photo.pk, photo.key)
    except FileNotFoundError as error:
        raise NotFound(_("The bytes of this picture are gone from the disk; restore them from the backup.")) from error


def remove(keys: list[str]) -> None:
    """Delete the bytes of pictures whose rows go, after the commit."""
    for key in keys:
        transaction.on_commit(lambda key=key: store.remove(key))  # type: ignore[misc]
