from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import (
    Consent,
    Departure,
    Household,
    Membership,
    Organisation,
    Person,
    Residency,
    Vehicle,
)
from shoufu.kernel.places.models import Place

VIEW = "parties.view"
OWN = "own.view"


def today() -> date:
    """Today in the server's time zone: residencies, memberships and registrations are kept by day."""
    return timezone.localdate()


def current(prefix: str = "", on: date | None = None) -> Q:
    """The condition "in force on this day" of rows with `since` and `until` (half-open)."""
    day = on or today()
    begun = Q(**{f"{prefix}since__lte": day})
    return begun & (Q(**{f"{prefix}until__isnull": True}) | Q(**{f"{prefix}until__gt": day}))


def people(actor: Actor, *, erased: bool = False) -> QuerySet[Person]:
    """People of the actor's places, names only: phone and identity number come from `look`, which leaves a trace."""
    rows = policy.limit(Person.objects.select_related("place"), actor, VIEW).defer("phone", "identity")
    return (rows if erased else rows.filter(erased_at__isnull=True)).order_by("place__path", "name", "id")


def get(actor: Actor, person_id: int) -> Person:
    """One person's row; NotFound when the actor may not see them. Oneself is always visible."""
    rows = Person.objects.select_related("place")
    seen = policy.limit(rows, actor, VIEW)
    found = seen.filter(pk=person_id).first()
    if found is None and actor.kind == "user" and actor.may_anywhere(OWN):
        found = rows.filter(pk=person_id, user__pk=int(actor.id)).first()
    if found is None:
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return found


@dataclass(frozen=True)
class PersonalData:
    """What `look` shows of a person, in clear; empty where nothing is kept or it was erased."""

    person: Person
    phone: str
    identity: str


@transaction.atomic
def look(actor: Actor, person_id: int, reason: str) -> PersonalData:
    """A person's phone and identity number. Leaves an audit entry with the reason, which the person can read."""
    person = get(actor, person_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why you look; the person can read it."))
    key = subjects.known_keys([person.pk]).get(person.pk)
    record(actor, Act("parties.look", person, place=person.place_id, reason=reason.strip(), subject=person.pk))
    return PersonalData(person, _open(key, person, "phone"), _open(key, person, "identity"))


def _open(key: bytes | None, person: Person, field: str) -> str:
    sealed = getattr(person, field)
    return subjects.unseal_text(key, sealed, person.pk, field) if sealed and key else ""


def phones(person_ids: Iterable[int]) -> dict[int, str]:
    """Phone numbers of people in clear, for sending notices; two queries. For processes, never for a page."""
    rows = list(Person.objects.filter(pk__in=list(person_ids), phone__isnull=False, erased_at__isnull=True))
    keys = subjects.known_keys(person.pk for person in rows)
    return {person.pk: _open(keys.get(person.pk), person, "phone") for person in rows}


@transaction.atomic
def search(actor: Actor, text: str, *, limit: int = 20) -> list[Person]:
    """Visible people by a part of the name, or by a whole phone or identity number. Leaves an audit entry (no text)."""
    words = text.strip()
    if not words or not actor.may_anywhere(VIEW):
        return []
    match = Q(name__icontains=words)
    for field, normalise in (("phone", identifiers.phone), ("identity", identifiers.identity)):
        hashes = _hashes(words, field, normalise)
        match |= Q(**{f"{field}_lookup__in": hashes}) if hashes else Q(pk__in=[])
    found = list(people(actor).filter(match)[:limit])
    record(actor, Act("parties.search", data={"found": len(found)}, object_type="parties.person"))
    return found


def known_by(name: str, phone: str, path: str) -> Person | None:
    """The living person below a place with exactly this name and this phone number: who asks must know both, so nobody
    can be looked up. None where nobody, or more than one, fits."""
    hashes = _hashes(phone, "phone", identifiers.phone)
    rows = Person.objects.select_related("place").filter(name=name.strip(), phone_lookup__in=hashes)
    rows = rows.filter(place__path__startswith=path, erased_at__isnull=True, died_on__isnull=True)
    found = list(rows[:2]) if hashes else []
    return found[0] if len(found) == 1 else None


def homes(person_id: int) -> list[Household]:
    """The households in which a person lives today, in the order of their places."""
    stays = Residency.objects.filter(current(), person=person_id, ended_at__isnull=True)
    rows = Household.objects.filter(pk__in=stays.values("household")).select_related("place__parent__parent")
    return list(rows.order_by("place__path", "number"))


def home_of(person_id: int) -> Household | None:
    """The household in which a person lives today, the first by place where there are several."""
    return next(iter(homes(person_id)), None)


def home_label(home: Household) -> str:
    """A home as people say it: "5 号楼 2 单元 301". Reads two places above the unit (`place__parent__parent`)."""
    return f"{unit_label(home.place)} {home.number}"


def unit_label(place: Place) -> str:
    """A unit with its building: "5 号楼 2 单元"."""
    named = [place]
    while named[0].kind in (Place.Kind.UNIT, Place.Kind.DOOR) and named[0].parent is not None:
        named.insert(0, named[0].parent)
    return " ".join(one.label for one in named)


def _hashes(text: str, field: str, normalise: Callable[[str], str]) -> list[bytes]:
    try:
        return keyring.ring().lookups(normalise(text), field)
    except Invalid:
        return []


def households(actor: Actor) -> QuerySet[Household]:
    """Households in the actor's places."""
    rows = policy.limit(Household.objects.select_related("place__parent"), actor, VIEW)
    return rows.order_by("place__path", "number")


def household(actor: Actor, household_id: int) -> Household:
    """One household; NotFound when the actor may not see it."""
    found = households(actor).filter(pk=household_id).first()
    if found is None:
        raise NotFound(_("There is no household %(id)s that you may see.") % {"id": household_id})
    return found


def stays(actor: Actor) -> QuerySet[Residency]:
    """Every stay at the actor's places, present ones first; names only."""
    rows = Residency.objects.select_related("person", "household__place__parent")
    rows = rows.defer("person__phone", "person__identity")
    limited = policy.limit(rows, actor, VIEW, "household__place__path")
    return limited.order_by(F("ended_at").desc(nulls_first=True), "kind", "id")


def departure(actor: Actor, departure_id: int) -> Departure:
    """The receipt of a person's leaving; NotFound when the actor may not see it."""
    rows = Departure.objects.select_related("person", "place", "household")
    found = policy.limit(rows, actor, VIEW).filter(pk=departure_id).first()
    if found is None:
        raise NotFound(_("There is no receipt %(id)s that you may see.") % {"id": departure_id})
    return found


def departures(actor: Actor, person_id: int) -> QuerySet[Departure]:
    """The receipts of one person, newest first."""
    return policy.limit(Departure.objects.filter(person_id=person_id), actor, VIEW).order_by("-at")


def residents(actor: Actor, path: str = "/", on: date | None = None) -> QuerySet[Residency]:
    """Who lives below a place on a day (default: today)."""
    rows = Residency.objects.filter(current(on=on), household__place__path__startswith=path)
    rows = rows.select_related("person", "household__place").defer("person__phone", "person__identity")
    return policy.limit(rows, actor, VIEW, "household__place__path").order_by("household__place__path", "id")


def organisations(actor: Actor) -> QuerySet[Organisation]:
    """Organisations at the actor's places."""
    return policy.limit(Organisation.objects.select_related("place"), actor, VIEW).order_by("name")


def members(actor: Actor, organisation_id: int) -> QuerySet[Membership]:
    """Who works for an organisation today."""
    rows = Membership.objects.filter(current(), organisation_id=organisation_id).select_related("person")
    return policy.limit(rows, actor, VIEW, "organisation__place__path").order_by("title", "id")


def vehicles(actor: Actor, *, left: bool = False) -> QuerySet[Vehicle]:
    """Registered vehicles of the actor's places; those that left only when asked for."""
    rows = policy.limit(Vehicle.objects.select_related("place", "household"), actor, VIEW)
    return (rows if left else rows.filter(current())).order_by("place__path", "plate")


def registered_plates(path: str, on: date | None = None) -> frozenset[str]:
    """Plates that may pass at the place with this path: registered there or at a place around it (one query).

    For gateways and watchers. Only a plate that equals one of these is registered: near ones are for people to judge.
    """
    steps = path.strip("/").split("/")
    around = ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]
    rows = Vehicle.objects.filter(current(on=on), place__path__in=around)
    return frozenset(rows.values_list("plate", flat=True))


def consents(actor: Actor, person_id: int) -> QuerySet[Consent]:
    """What a visible person allowed, newest first, withdrawn ones too."""
    return Consent.objects.filter(person=get(actor, person_id)).order_by("-given_at")


def has_consent(person_id: int, purpose: str) -> bool:
    """Whether the person allows this purpose right now."""
    return Consent.objects.filter(person_id=person_id, purpose=purpose, withdrawn_at__isnull=True).exists()


def looks_at_me(actor: Actor) -> QuerySet[AuditEntry]:
    """Every act that concerned the actor's own data, newest first: who looked, when and why."""
    if actor.kind != "user" or not actor.may_anywhere(OWN):
        raise Forbidden(_("Only residents and staff with data here can see who looked at it."))
    person = Person.objects.filter(user__pk=int(actor.id)).values("pk")
    return AuditEntry.objects.filter(subject__in=person).order_by("-at", "-id")
