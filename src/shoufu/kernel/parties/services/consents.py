from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.parties.models import Consent, Person
from shoufu.kernel.parties.services.drafts import MANAGE, insert
from shoufu.kernel.privacy.declarations import announce_withdrawal


def _consenting(actor: Actor, person_id: int) -> Person:
    """The person, for themselves or for staff who manage people there."""
    person = Person.objects.select_related("place").filter(pk=person_id, erased_at__isnull=True).first()
    own = actor.kind == "user" and Person.objects.filter(pk=person_id, user__pk=int(actor.id)).exists()
    if person is None or not (own or actor.may(MANAGE, person.place.path)):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return person


@transaction.atomic
def give_consent(actor: Actor, person_id: int, purpose: str, how: str) -> Consent:
    """A person allows a purpose; `how` says in which way ("signed form of 2026-11-23")."""
    person = _consenting(actor, person_id)
    if not purpose.strip() or not how.strip():
        raise Invalid.one("how", _("Say what is allowed and how the person said so."))
    row = Consent(person=person, purpose=purpose.strip()[:64], given_at=timezone.now(), how=how.strip()[:120])
    insert(Consent, [row], _("The person already allows this."))
    record(actor, _consent_act("parties.give_consent", row, person))
    return row


@transaction.atomic
def withdraw_consent(actor: Actor, person_id: int, purpose: str) -> Consent:
    """A person no longer allows a purpose: as easy as giving it, without a reason."""
    person = _consenting(actor, person_id)
    rows = Consent.objects.select_for_update().filter(person=person, purpose=purpose, withdrawn_at__isnull=True)
    row = rows.first()
    if row is None:
        raise NotFound(_("The person does not allow “%(purpose)s”.") % {"purpose": purpose})
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    record(actor, _consent_act("parties.withdraw_consent", row, person))
    announce_withdrawal(actor, person.pk, row.purpose)
    return row


def _consent_act(action: str, row: Consent, person: Person) -> Act:
    return Act(action, row, place=person.place_id, subject=person.pk, data={"purpose": row.purpose})
