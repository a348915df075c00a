from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy.models import LegalHold, Secrecy
from shoufu.kernel.privacy.selectors import MANAGE

LONGEST_SECRECY = timedelta(days=365)


@dataclass(frozen=True)
class HoldDraft:
    """Keep a case's data until a day, on whose word and why."""

    case: int
    authority: str
    reason: str
    until: datetime


@dataclass(frozen=True)
class SecrecyDraft:
    """Keep lines of "who looked" back: by which authority's document, from when, until when (at most a year)."""

    person: int
    authority: str
    document: str
    until: datetime
    since: datetime | None = None


def _missing(**fields: str) -> list[FieldError]:
    return [FieldError(name, _("Must not be empty.")) for name, text in fields.items() if not text.strip()]


@transaction.atomic
def hold(actor: Actor, draft: HoldDraft) -> LegalHold:
    """Put a case under a legal hold: its data stay until then, whoever asks for erasure."""
    case = policy.limit(Case.objects.select_related("place"), actor, MANAGE).filter(pk=draft.case).first()
    if case is None:
        raise NotFound(_("There is no case %(id)s that you may see.") % {"id": draft.case})
    errors = _missing(authority=draft.authority, reason=draft.reason)
    if draft.until <= timezone.now():
        errors.append(FieldError("until", _("Must lie in the future.")))
    if errors:
        raise Invalid(*errors)
    row = LegalHold(
        case=case,
        authority=draft.authority.strip()[:120],
        reason=draft.reason.strip()[:200],
        since=timezone.now(),
        until=draft.until,
        made_by_id=actor.user_id,
    )
    LegalHold.objects.filter(case=case, released_at__isnull=True, until__lte=row.since).update(released_at=row.since)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("This case is under a hold already.")) from error
    data = {"until": draft.until.isoformat(), "authority": row.authority}
    record(actor, Act("privacy.hold", case, place=case.place_id, reason=row.reason, data=data))
    return row


@transaction.atomic
def release(actor: Actor, hold_id: int, reason: str) -> LegalHold:
    """End a legal hold before its day."""
    rows = policy.limit(
        LegalHold.objects.select_for_update(of=("self",)).select_related("case__place"),
        actor,
        MANAGE,
        "case__place__path",
    )
    row = rows.filter(pk=hold_id, released_at__isnull=True).first()
    if row is None:
        raise NotFound(_("There is no hold %(id)s that you may end.") % {"id": hold_id})
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the hold ends."))
    row.released_at = timezone.now()
    row.save(update_fields=["released_at"])
    record(actor, Act("privacy.release", row.case, place=row.case.place_id, reason=reason.strip()))
    return row


@transaction.atomic
def keep_back(actor: Actor, draft: SecrecyDraft) -> Secrecy:
    """Delay the lines about looks at a person's data where a law demands it; the person reads them after the end."""
    person = policy.limit(Person.objects.select_related("place"), actor, MANAGE).filter(pk=draft.person).first()
    if person is None:
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": draft.person})
    since = draft.since or timezone.now()
    errors = _missing(authority=draft.authority, document=draft.document)
    if not since < draft.until <= since + LONGEST_SECRECY:
        errors.append(FieldError("until", _("Must lie after the beginning, at most a year.")))
    if errors:
        raise Invalid(*errors)
    row = Secrecy.objects.create(
        person=person,
        since=since,
        until=draft.until,
        authority=draft.authority.strip()[:120],
        document=draft.document.strip()[:120],
        made_by_id=actor.user_id,
    )
    # Without `subject`: the line itself would tell what it keeps back.
    data = {"until": draft.until.isoformat(), "authority": row.authority}
    record(actor, Act("privacy.keep_back", row, place=person.place_id, data=data))
    return row
