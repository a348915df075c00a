from dataclasses import replace

from django.db.models import Q

from shoufu.kernel.access.models import User
from shoufu.kernel.audit import subjects
from shoufu.kernel.parties.models import Person, Residency, Vehicle
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy.declarations import Identifier, Sort, Subject


def gather(person: Person) -> Subject:
    """Everything by which a person can be recognised, from the register and from every app's hooks."""
    user = User.objects.filter(person=person).first()
    homes = tuple(Residency.objects.filter(person=person).values_list("household_id", flat=True).distinct())
    found = Subject(
        person=person.pk,
        user=user.pk if user else None,
        place=person.place_id,
        path=person.place.path,
        code=person.code,
        households=homes,
        identifiers=(*_register(person), *_account(user)),
    )
    alone = _lived_alone(person, homes)
    plates = Vehicle.objects.filter(household__in=alone).values_list("plate", flat=True)
    found = replace(
        found,
        households=tuple(alone),
        identifiers=(*found.identifiers, *(Identifier(Sort.NUMBER, plate, "plate") for plate in plates)),
    )
    for hook in declarations.hooks():
        if hook.identifiers:
            found = replace(found, identifiers=(*found.identifiers, *hook.identifiers(found)))
        if hook.features:
            found = replace(found, features=(*found.features, *hook.features(found)))
    return replace(found, identifiers=tuple(dict.fromkeys(i for i in found.identifiers if i.text.strip())))


def _register(person: Person) -> list[Identifier]:
    key = subjects.known_keys([person.pk]).get(person.pk)
    found = [Identifier(Sort.NAME, person.name, "name"), Identifier(Sort.WORD, person.code, "code")]
    for name in ("phone", "identity"):
        sealed, lookup = getattr(person, name), getattr(person, f"{name}_lookup")
        if sealed and key:
            clear = subjects.unseal_text(key, bytes(sealed), person.pk, name)
            found += [Identifier(Sort.NUMBER, form, name) for form in _written(clear)]
        if lookup:
            found.append(Identifier(Sort.HASH, bytes(lookup).hex(), f"{name} hash"))
    return found


def _written(number: str) -> list[str]:
    """A phone number as kept (+8613…) and as people write it in the country (13…)."""
    bare = number.removeprefix("+")
    home = number.removeprefix("+86")
    return list(dict.fromkeys([bare, home] if home != number else [bare]))


def _account(user: User | None) -> list[Identifier]:
    if user is None:
        return []
    names = [user.display_name, f"{user.last_name}{user.first_name}", f"{user.first_name} {user.last_name}".strip()]
    found = [Identifier(Sort.NAME, name, "account name") for name in names if name.strip()]
    found.append(Identifier(Sort.WORD, user.username, "account"))
    return [*found, Identifier(Sort.WORD, user.email, "e-mail")] if user.email else found


def _lived_alone(person: Person, homes: tuple[int, ...]) -> list[int]:
    """Households that only this person belongs to: what belongs to the household is then theirs alone."""
    others = Residency.objects.filter(current(), household__in=homes).exclude(person=person)
    shared = set(others.exclude(person__erased_at__isnull=False).values_list("household_id", flat=True))
    return [home for home in homes if home not in shared]


def shared_with_others(subject: Subject) -> set[str]:
    """Texts of the subject's identifiers that somebody else carries too: a namesake, a car or phone of the family.

    Those point at the others as well, so erasure leaves them where they stand and a proof does not count them.
    """
    texts = {item.text for item in subject.identifiers}
    people = Person.objects.exclude(pk=subject.person).filter(erased_at__isnull=True)
    found = set(people.filter(name__in=texts).values_list("name", flat=True))
    users = User.objects.exclude(pk=subject.user or 0)
    found |= set(users.filter(display_name__in=texts).values_list("display_name", flat=True))
    plates = Vehicle.objects.filter(Q(household__isnull=True) | ~Q(household__in=subject.households), plate__in=texts)
    found |= set(plates.values_list("plate", flat=True))
    return found | _shared_phones(subject, people)


def _shared_phones(subject: Subject, people: object) -> set[str]:
    own = {item.text for item in subject.identifiers if item.what == "phone hash"}
    rows = Person.objects.exclude(pk=subject.person).filter(erased_at__isnull=True)
    lookups = {bytes.fromhex(text) for text in own}
    if not lookups or not rows.filter(phone_lookup__in=lookups).exists():
        return set()
    return own | set(subject.texts("phone"))
