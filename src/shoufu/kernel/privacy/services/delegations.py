from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.base.memory import forget
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations, selectors
from shoufu.kernel.privacy.models import Delegation


@dataclass(frozen=True)
class GrantDraft:
    """What a person lets another do: `delegate` is that person's id. `person` is needed where staff note a paper."""

    delegate: int
    scopes: Sequence[str]
    until: datetime | None = None
    person: int | None = None
    basis: str = Delegation.Basis.GRANTED
    reason: str = ""


@transaction.atomic
def grant(actor: Actor, draft: GrantDraft) -> Delegation:
    """Let a person act for another: by the person themselves, or noted from a document by who manages privacy there."""
    person = _granting(actor, draft)
    now = timezone.now()
    delegate = Person.objects.filter(pk=draft.delegate, erased_at__isnull=True).first()
    errors = _errors(draft, delegate, person, now)
    if errors:
        raise Invalid(*errors)
    row = Delegation(
        person=person,
        delegate_id=draft.delegate,
        scopes=sorted(set(draft.scopes)),
        basis=draft.basis,
        since=now,
        until=draft.until,
    )
    # One that ended by its date makes room for the next.
    Delegation.objects.filter(person=person, delegate=draft.delegate, withdrawn_at__isnull=True, until__lte=now).update(
        withdrawn_at=now
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("This person may act already; end that first.")) from error
    forget()
    record(actor, _act("privacy.delegate", row, person, draft.reason))
    return row


def find_delegate(actor: Actor, code: str, phone: str) -> int:
    """The person with this code and this whole phone number: who grants must know both, so nobody can be looked up."""
    try:
        hashes = keyring.ring().lookups(identifiers.phone(phone), "phone")
    except Invalid:
        hashes = []
    found = Person.objects.filter(code=code.strip(), phone_lookup__in=hashes, erased_at__isnull=True).first()
    if found is None:
        raise Invalid.one("code", _("Nobody here has this code and this phone number; ask them for both."))
    return found.pk


def _granting(actor: Actor, draft: GrantDraft) -> Person:
    me = selectors.myself(actor)
    if draft.person is None or (me is not None and me.pk == draft.person):
        return selectors.subject(actor, None, "")
    found = Person.objects.select_related("place").filter(pk=draft.person, erased_at__isnull=True).first()
    if found is None or not actor.may(selectors.MANAGE, found.place.path):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": draft.person})
    if not draft.reason.strip():
        raise Invalid.one("reason", _("Say which document shows it."))
    return found


def _errors(draft: GrantDraft, delegate: Person | None, person: Person, now: datetime) -> list[FieldError]:
    errors = []
    if delegate is None or delegate.pk == person.pk:
        errors.append(FieldError("delegate", _("Choose another person who is registered here.")))
    known = declarations.scopes()
    if not draft.scopes or any(scope not in known for scope in draft.scopes):
        errors.append(FieldError("scopes", _("Choose at least one of: %(all)s.") % {"all": ", ".join(known)}))
    if draft.until is not None and draft.until <= now:
        errors.append(FieldError("until", _("Must lie in the future.")))
    if draft.basis not in Delegation.Basis.values or (
        draft.basis == Delegation.Basis.GUARDIAN and not draft.reason.strip()
    ):
        errors.append(FieldError("basis", _("A guardian is noted by staff from a document.")))
    return errors


@transaction.atomic
def withdraw(actor: Actor, delegation_id: int) -> Delegation:
    """End a grant at once: by the person, by the delegate, or by who manages privacy there. No reason is asked."""
    rows = Delegation.objects.select_for_update(of=("self",)).select_related("person__place")
    row = rows.filter(pk=delegation_id, withdrawn_at__isnull=True).first()
    me = selectors.myself(actor)
    mine = row is not None and me is not None and me.pk in (row.person_id, row.delegate_id)
    if row is None or not (mine or actor.may(selectors.MANAGE, row.person.place.path)):
        raise NotFound(_("There is no grant %(id)s that you may end.") % {"id": delegation_id})
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    forget()
    record(actor, _act("privacy.withdraw_delegation", row, row.person))
    return row


def _act(action: str, row: Delegation, person: Person, reason: str = "") -> Act:
    data = {"scopes": row.scopes, "basis": row.basis}
    return Act(action, row, place=person.place_id, subject=person.pk, reason=reason, data=data)
