from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.evidence.age import AgeError, read_recipient
from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence
from shoufu.kernel.devices.models import Device
from shoufu.kernel.evidence import selectors, tasks
from shoufu.kernel.evidence.models import Export, Hold
from shoufu.kernel.media.models import MediaObject

CONTEXT = b"evidence.export"
DAYS = 7
MOST_DAYS = 30
LONGEST = timedelta(minutes=30)
SHORTEST_PASSPHRASE = 12
CASE_KEEP_DAYS = 365
_FINAL = (Case.State.CLOSED, Case.State.FALSE_ALARM, Case.State.MERGED)


@dataclass(frozen=True)
class ExportDraft:
    """What to export: of `media` (the case's, empty: all of it) and, from `since` until `until`, of the recordings of
    `cameras`. `passphrase` or `recipient_key` (age1…) seals the originals into it; without either they stay out.
    `sharp` other than "nobody" needs the right `evidence.unblurred` and a reason."""

    case_id: int
    recipient: str
    reason: str
    sharp: str = "nobody"
    sharp_reason: str = ""
    media: Sequence[UUID] = ()
    cameras: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    passphrase: str = ""
    recipient_key: str = ""
    days: int = DAYS


def folder() -> Path:
    """Where bundles lie until they expire."""
    return Path(settings.DATA_ROOT) / "exports"


def path_of(export: Export) -> Path:
    return folder() / export.key


def _case(actor: Actor, case_id: int, permission: str) -> Case:
    rows = limit(Case.objects.select_related("place"), actor, "cases.view")
    case = rows.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": case_id})
    require(actor, permission, case.place)
    return case


def _errors(draft: ExportDraft) -> list[FieldError]:
    found = [
        FieldError(name, said)
        for name, said in (
            ("recipient", _("Say who gets it.")),
            ("reason", _("Say why it is handed over.")),
        )
        if not getattr(draft, name).strip()
    ]
    if draft.sharp not in Export.Sharp.values:
        found.append(FieldError("sharp", _("Choose one of the ways offered.")))
    elif draft.sharp != Export.Sharp.NOBODY and not draft.sharp_reason.strip():
        found.append(FieldError("sharp_reason", _("Say why faces must be seen.")))
    if draft.passphrase and draft.recipient_key:
        found.append(FieldError("passphrase", _("Seal with a passphrase or with a key, not with both.")))
    if draft.passphrase and len(draft.passphrase) < SHORTEST_PASSPHRASE:
        said = _("At least %(n)d characters; tell it to the recipient by another way.")
        found.append(FieldError("passphrase", said % {"n": SHORTEST_PASSPHRASE}))
    if not 1 <= draft.days <= MOST_DAYS:
        found.append(FieldError("days", _("From 1 to %(n)d days.") % {"n": MOST_DAYS}))
    return found + _span_errors(draft) + _key_errors(draft.recipient_key)


def _span_errors(draft: ExportDraft) -> list[FieldError]:
    if not draft.cameras:
        return []
    if draft.since is None or draft.until is None or draft.since >= draft.until:
        return [FieldError("until", _("Give a beginning and a later end."))]
    if draft.until - draft.since > LONGEST:
        return [FieldError("until", _("At most %(n)d minutes at once.") % {"n": LONGEST.seconds // 60})]
    return []


def _key_errors(text: str) -> list[FieldError]:
    if not text:
        return []
    try:
        read_recipient(text)
    except AgeError as error:
        return [FieldError("recipient_key", str(error))]
    return []


@transaction.atomic
def request_export(actor: Actor, draft: ExportDraft) -> Export:
    """Ask for a bundle; the worker makes it. Sharp faces need the right `evidence.unblurred` and a reason."""
    case = _case(actor, draft.case_id, selectors.EXPORT)
    if errors := _errors(draft):
        raise Invalid(*errors)
    if draft.sharp != Export.Sharp.NOBODY:
        require(actor, selectors.UNBLURRED, case.place)
    own = {item.media_id for item in case.evidence.filter(media__isnull=False)}
    if not set(draft.media) <= own:
        raise Invalid.one("media", _("Choose pictures and clips of this case."))
    cameras = limit(Device.objects.filter(pk__in=draft.cameras, kind=Device.Kind.CAMERA), actor, "media.view")
    if cameras.count() != len(set(draft.cameras)):
        raise Invalid.one("cameras", _("Choose cameras that you may see."))
    if not own and not draft.cameras:
        raise Invalid.one("media", _("This case has no pictures; choose cameras and a span."))
    now = timezone.now()
    made = Export.objects.create(
        number=f"E-{case.number.removeprefix('C-')}-{Export.objects.filter(case=case).count() + 1}",
        case=case,
        place=case.place,
        recipient=draft.recipient.strip()[:120],
        reason=draft.reason.strip()[:200],
        sharp=draft.sharp,
        sharp_reason=draft.sharp_reason.strip()[:200],
        media=[str(pk) for pk in draft.media],
        cameras=sorted(set(draft.cameras)),
        since=draft.since if draft.cameras else None,
        until=draft.until if draft.cameras else None,
        recipient_key=draft.recipient_key.strip(),
        secret=keyring.ring().encrypt(draft.passphrase.encode(), CONTEXT) if draft.passphrase else None,
        language=actor.language,
        asked_by=actor.label,
        user_id=actor.user_id,
        asked_at=now,
        expires_at=now + timedelta(days=draft.days),
    )
    data = {"number": made.number, "case": case.number, "recipient": made.recipient, "sharp": made.sharp}
    if made.sharp_reason:
        data["sharp_reason"] = made.sharp_reason
    record(actor, Act("evidence.export", made, case.place_id, made.reason, data))
    say = {"export": made.number, "recipient": made.recipient}
    CaseEvent.objects.create(
        case=case, kind=CaseEvent.Kind.EVIDENCE, at=now, known=now, actor=actor.label, text=made.number, data=say
    )
    transaction.on_commit(lambda: tasks.make.defer(export_id=made.pk))
    return made


def record_look(actor: Actor, export: Export) -> None:
    """Note that somebody opened the page of an export."""
    record(actor, Act("evidence.look", export, export.place_id))


@transaction.atomic
def download(actor: Actor, export_id: int) -> tuple[Export, Path]:
    """The file of a bundle, for handing over; counted and noted. Conflict when it is not ready or gone."""
    export = selectors.get(actor, export_id)
    path = path_of(export)
    if export.state != Export.State.DONE or export.expires_at <= timezone.now() or not path.is_file():
        raise Conflict(_("This bundle is not there: it is “%(state)s”.") % {"state": export.get_state_display()})
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
    record(actor, Act("evidence.download", export, export.place_id, data={"sha256": export.sha256}))
    return export, path


@transaction.atomic
def remove(actor: Actor, export_id: int, reason: str) -> Export:
    """Delete a bundle before its time; the row stays as proof."""
    export = selectors.get(actor, export_id)
    if export.state == Export.State.RUNNING:
        raise Conflict(_("It is being made just now; wait until it is ready."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it is deleted."))
    _delete([export])
    record(actor, Act("evidence.delete", export, export.place_id, reason.strip()))
    return export


def _delete(exports: Sequence[Export]) -> None:
    now = timezone.now()
    paths = [path_of(export) for export in exports if export.key]
    for export in exports:
        export.state, export.deleted_at, export.key, export.secret = Export.State.DELETED, now, "", None
    Export.objects.bulk_update(exports, ["state", "deleted_at", "key", "secret"])
    transaction.on_commit(lambda: _unlink(paths))


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@transaction.atomic
def expire(now: datetime | None = None) -> int:
    """Delete bundles past their end, and rows past their retention. Returns how many bundles went."""
    moment = now or timezone.now()
    live = Export.objects.filter(expires_at__lte=moment).exclude(state__in=[Export.State.DELETED, Export.State.RUNNING])
    old = list(live.select_for_update(skip_locked=True, of=("self",)))
    _delete(old)
    record_many(SYSTEM, [Act("evidence.expire", export, export.place_id) for export in old])
    Export.objects.filter(
        state=Export.State.DELETED, asked_at__lt=moment - timedelta(days=Export.RETENTION_DAYS)
    ).delete()
    return len(old)


@transaction.atomic
def place_hold(actor: Actor, case_id: int, reason: str, review_at: date) -> Hold:
    """Keep everything of a case until the hold is lifted; `review_at` is when somebody asks whether it still must."""
    case = _case(actor, case_id, selectors.HOLD)
    if not reason.strip():
        raise Invalid.one("reason", _("Say who asks for it and why."))
    if review_at <= timezone.localdate():
        raise Invalid.one("review_at", _("Choose a day to come."))
    try:
        with transaction.atomic():
            made = Hold.objects.create(
                case=case,
                reason=reason.strip()[:200],
                review_at=review_at,
                placed_by=actor.label,
                placed_at=timezone.now(),
            )
    except IntegrityError as error:
        raise Conflict(_("There is a hold on this case already.")) from error
    record(actor, Act("evidence.hold", made, case.place_id, made.reason, {"case": case.number}))
    return made


@transaction.atomic
def lift_hold(actor: Actor, case_id: int, reason: str) -> Hold:
    """Let the retention count again."""
    case = _case(actor, case_id, selectors.HOLD)
    hold = Hold.objects.select_for_update().filter(case=case, lifted_at__isnull=True).first()
    if hold is None:
        raise Conflict(_("There is no hold on this case."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why it is lifted."))
    hold.lifted_by, hold.lifted_at, hold.lifted_reason = actor.label, timezone.now(), reason.strip()[:200]
    hold.save()
    record(actor, Act("evidence.lift_hold", hold, case.place_id, hold.lifted_reason, {"case": case.number}))
    return hold


@transaction.atomic
def release_old(now: datetime | None = None, most: int = 500) -> int:
    """Let go of pictures of cases that ended a year ago and have no hold: the media task deletes what no case keeps.

    The line of evidence stays with its SHA-256. Returns how many were let go.
    """
    moment = now or timezone.now()
    ended = moment - timedelta(days=CASE_KEEP_DAYS)
    over = Q(case__state__in=_FINAL, case__closed_at__lt=ended) | Q(
        case__state=Case.State.RESOLVED, case__resolved_at__lt=ended
    )
    rows = Evidence.objects.filter(over, media__isnull=False).exclude(case__in=selectors.held_cases())
    chosen = list(rows.select_for_update(of=("self",), skip_locked=True).select_related("case")[:most])
    media = [item.media_id for item in chosen if item.media_id is not None]
    for item in chosen:
        item.data = {**(item.data or {}), "let_go": moment.isoformat(), "media": str(item.media_id)}
        item.media = None
    Evidence.objects.bulk_update(chosen, ["media", "data"])
    MediaObject.objects.filter(pk__in=media, keep_until__gt=moment).update(keep_until=moment)
    record_many(
        SYSTEM, [Act("evidence.let_go", item.case, item.case.place_id, data={"evidence": item.pk}) for item in chosen]
    )
    return len(chosen)
