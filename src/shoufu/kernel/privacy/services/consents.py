from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Consent, Person
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.privacy import declarations, selectors
from shoufu.kernel.privacy.declarations import Purpose
from shoufu.kernel.privacy.models import Delegation


def _purpose(code: str) -> Purpose:
    purpose = declarations.purposes().get(code)
    if purpose is None:
        known = ", ".join(declarations.purposes())
        raise Invalid.one("purpose", _("Use one of: %(kinds)s.") % {"kinds": known})
    return purpose


def _too_young(person: Person, purpose: Purpose) -> bool:
    if person.born is None:
        return False
    birthday = (person.born.month, person.born.day) > (today().month, today().day)
    return today().year - person.born.year - birthday < purpose.guardian_below


@transaction.atomic
def give_consent(actor: Actor, purpose: str, person_id: int | None = None, how: str = "") -> Consent:
    """Allow a purpose for oneself, or for a person who granted "consents.manage". A child needs its guardian."""
    person = selectors.subject(actor, person_id, "consents.manage")
    me = selectors.myself(actor)
    wanted = _purpose(purpose)
    if _too_young(person, wanted) and not _guards(me, person):
        message = _("Below %(age)d years a guardian has to allow this.") % {"age": wanted.guardian_below}
        raise Invalid.one("purpose", message)
    own = me is not None and me.pk == person.pk
    said = how.strip() or (_("By themselves, on the page") if own else _("By their representative, on the page"))
    return parties.give_consent(_acting(actor, own), person.pk, wanted.code, said)


@transaction.atomic
def withdraw_consent(actor: Actor, purpose: str, person_id: int | None = None) -> Consent:
    """Stop allowing a purpose, without a reason. What rested on it stops at once (each app's `withdrawn` hook)."""
    person = selectors.subject(actor, person_id, "consents.manage")
    me = selectors.myself(actor)
    return parties.withdraw_consent(_acting(actor, me is not None and me.pk == person.pk), person.pk, purpose)


def _guards(me: Person | None, person: Person) -> bool:
    if me is None:
        return False
    rows = Delegation.objects.filter(person=person, delegate=me, basis=Delegation.Basis.GUARDIAN)
    return rows.filter(selectors._in_force()).exists()


def _acting(actor: Actor, own: bool) -> Actor:
    """Under a delegation the right comes from the grant, not from a role: the act stays in the delegate's name."""
    if own:
        return actor
    return _Delegate(kind=actor.kind, id=actor.id, label=actor.label, grants=SYSTEM.grants, language=actor.language)


class _Delegate(Actor):
    """The same account, allowed what the grant allows: the right was checked by the caller."""

    def may(self, permission: str, path: str) -> bool:
        return permission == "parties.manage"
