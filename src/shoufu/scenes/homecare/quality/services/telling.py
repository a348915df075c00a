"""Who is told what: staff of an institution, the regulator, a patient and whoever acts for them. No personal data goes
into a notice; the page behind it asks for rights."""

from collections.abc import Mapping

from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.notices.services import About, notify_roles, notify_user
from shoufu.kernel.parties.models import Membership, Person
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.register.models import Institution, Patient
from shoufu.scenes.homecare.register.selectors import carers

COORDINATOR, MANAGER, REGULATOR = "care_coordinator", "care_institution", "care_regulator"
Words = Mapping[str, str]


def _about(place: Place, event: str, office: Institution, words: Words) -> About:
    english = office.organisation.name_en or office.organisation.name
    return About(
        place,
        event,
        {"zh-hans": {"office": office.organisation.name, **words}, "en": {"office": english, **words}},
    )


def tell_office(actor: Actor, template: str, office: Institution, place: Place, event: str, **words: str) -> None:
    """Tell those who coordinate or manage an institution at a place; not those of another institution there."""
    now = timezone.now()
    above = [int(part) for part in place.path.strip("/").split("/")]
    held = RoleAssignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=now),
        role__in=(COORDINATOR, MANAGER),
        place__in=above,
        since__lte=now,
        user__is_active=True,
    )
    users = dict(held.values_list("user", "user__person"))
    work = Membership.objects.filter(current(), person__in=[one for one in users.values() if one is not None])
    offices: dict[int, set[int]] = {}
    for person, organisation in work.filter(organisation__homecare__isnull=False).values_list("person", "organisation"):
        offices.setdefault(person, set()).add(organisation)
    about = _about(place, event, office, words)
    for user, person in users.items():
        elsewhere = person is not None and office.organisation_id not in offices.get(person, {office.organisation_id})
        if not elsewhere and user != actor.user_id:
            notify_user(actor, template, about, user)


def tell_regulator(actor: Actor, template: str, office: Institution, place: Place, event: str, **words: str) -> None:
    """Tell the nearest supervisors of a place."""
    notify_roles(actor, template, [(_about(place, event, office, words), (REGULATOR,))])


def tell_patient(
    actor: Actor, template: str, patient: Patient, event: str, also: int | None = None, **words: str
) -> None:
    """Tell a patient and who may act for them, and the account `also`, all but who acts now."""
    people = [patient.person_id, *(one.pk for one in carers(patient))]
    found = Person.objects.filter(pk__in=people, user__is_active=True).values_list("user", flat=True)
    users = {one for one in (*found, also) if one is not None and one != actor.user_id}
    about = _about(patient.place, event, patient.institution, words)
    for user in sorted(users):
        notify_user(actor, template, about, user)


def tell_person(
    actor: Actor, template: str, person: int, office: Institution, place: Place, event: str, **words: str
) -> None:
    """Tell one person, where they have an account."""
    user = Person.objects.filter(pk=person, user__is_active=True).values_list("user", flat=True).first()
    if user is not None:
        notify_user(actor, template, _about(place, event, office, words), user)
