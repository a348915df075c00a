from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from shoufu.kernel.audit import selectors as audit
from shoufu.kernel.audit.models import AuditEntry, SubjectKey
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.keyring import CannotDecrypt, KeyRing
from shoufu.kernel.parties import selectors, services
from shoufu.kernel.parties.models import Person, Residency, Vehicle
from shoufu.kernel.parties.services import HouseholdDraft, PersonChange, PersonDraft, ResidencyDraft, VehicleDraft

pytestmark = pytest.mark.django_db
PHONE, IDENTITY = "138 0000 1234", "11010519491231002X"


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_ROOT = tmp_path


@pytest.fixture
def mei(world: Any) -> Person:
    return services.create_person(world.act(world.chen), PersonDraft("李梅", world.songshan.pk, PHONE, IDENTITY))


def raw(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
        return str(cursor.fetchone()[0])


def hexed(text: str) -> str:
    return text.encode().hex()


def test_numbers_are_nowhere_in_clear(mei: Person) -> None:
    for table in ("parties_person", "audit_auditentry", "audit_subjectkey"):
        stored = raw(table)
        for secret in ("13800001234", IDENTITY):
            assert secret not in stored and hexed(secret) not in stored
    assert mei.born == date(1949, 12, 31)


def test_a_look_needs_a_reason_and_leaves_a_trace_the_person_can_read(world: Any, mei: Person) -> None:
    alice, chen = world.act(world.alice), world.act(world.chen)
    with pytest.raises(Invalid):
        selectors.look(chen, mei.pk, " ")
    seen = selectors.look(chen, mei.pk, "快递送错")
    assert (seen.phone, seen.identity) == ("+8613800001234", IDENTITY)
    entry = AuditEntry.objects.get(action="parties.look")
    assert (entry.actor_label, entry.reason, entry.subject) == ("Chen", "快递送错", mei.pk)
    with pytest.raises(NotFound):  # a guard has no right to see people
        selectors.look(alice, mei.pk, "好奇")


def test_the_neighbouring_manager_sees_nobody_here(world: Any, mei: Person, stage: Any) -> None:
    bob = world.act(stage._user("Boss", "property_manager", world.changjiang))
    assert not selectors.people(bob).exists() and selectors.search(bob, PHONE) == []
    for attempt in (
        lambda: selectors.get(bob, mei.pk),
        lambda: selectors.look(bob, mei.pk, "x"),
        lambda: services.correct_person(bob, mei.pk, PersonChange(name="假")),
        lambda: services.erase_person(bob, mei.pk, "x"),
        lambda: services.give_consent(bob, mei.pk, "welfare", "x"),
    ):
        with pytest.raises((NotFound, Forbidden)):
            attempt()
    with pytest.raises(Invalid):
        services.register_vehicle(bob, VehicleDraft("辽A12345", world.songshan.pk))


def test_found_by_whole_numbers_in_any_writing_and_by_part_of_the_name(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    for text in ("+86 138-0000-1234", IDENTITY.lower(), "梅"):
        assert selectors.search(chen, text) == [mei]
    assert selectors.search(chen, "0000") == [] and selectors.search(chen, "") == []
    entry = AuditEntry.objects.filter(action="parties.search").first()
    assert entry is not None and "1380000" not in str(entry.data)


def test_the_same_identity_is_registered_once_even_after_a_rotation(world: Any, mei: Person) -> None:
    again = PersonDraft("李梅", world.songshan.pk, identity=IDENTITY)
    keyring.rotate()
    with pytest.raises(Conflict):
        services.create_person(SYSTEM, again)


def test_rotation_moves_everything_to_the_new_key_and_the_old_one_can_go(world: Any, mei: Person) -> None:
    keyring.rotate()
    chen = world.act(world.chen)
    assert selectors.search(chen, PHONE) == [mei]  # the old hash is still found
    assert services.reencrypt(SYSTEM) == 1
    keyring.drop(1)
    assert selectors.search(chen, PHONE) == [mei]
    assert selectors.look(chen, mei.pk, "核对").phone == "+8613800001234"


def test_erasing_a_person_erases_them_in_the_audit_log_too(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    created = AuditEntry.objects.get(action="parties.create_person")
    assert audit.personal(SYSTEM, created.pk) == {"name": "李梅"}
    services.correct_person(chen, mei.pk, PersonChange(phone="139 0000 0000"), "换号")
    services.erase_person(chen, mei.pk, "本人要求")
    assert audit.personal(SYSTEM, created.pk) == {}
    gone = Person.objects.get(pk=mei.pk)
    assert gone.name == "—" and not gone.phone and not gone.identity_lookup
    assert bytes(SubjectKey.objects.get(subject=mei.pk).key) == b""
    assert not selectors.people(chen).exists()
    assert {"parties.create_person", "parties.correct_person"} < set(
        AuditEntry.objects.filter(subject=mei.pk).values_list("action", flat=True)
    )
    with pytest.raises(Conflict):
        services.correct_person(chen, mei.pk, PersonChange(name="新"))
    entry = record(SYSTEM, Act("test.late", subject=mei.pk, personal={"name": "李梅"}))
    assert entry.personal is None  # no second key for an erased person


def test_a_ciphertext_opens_only_where_it_belongs() -> None:
    ring = KeyRing({1: b"a" * 32})
    sealed = ring.encrypt(b"secret", b"person:1")
    assert ring.decrypt(sealed, b"person:1") == b"secret"
    for wrong in ((sealed, b"person:2"), (sealed[:-1], b"person:1"), (b"x" + sealed[1:], b"person:1")):
        with pytest.raises(CannotDecrypt):
            ring.decrypt(*wrong)
    assert ring.lookup("1", "phone") != ring.lookup("1", "identity") != KeyRing({1: b"b" * 32}).lookup("1", "identity")
    assert keyring.ring() and keyring.path().stat().st_mode & 0o777 == 0o600


def test_a_thousand_people_cost_as_many_queries_as_one(world: Any, django_assert_max_num_queries: Any) -> None:
    drafts = [PersonDraft(f"人{n}", world.songshan.pk, f"1390000{n:04d}") for n in range(1000)]
    with django_assert_max_num_queries(12):  # eight statements and the savepoints around them
        services.create_people(SYSTEM, drafts)
    assert AuditEntry.objects.filter(action="parties.create_person").count() == 1000


def test_moving_in_and_out(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    (home,) = services.create_households(chen, [HouseholdDraft(world.door.pk, "301")])
    (stay,) = services.move_in(chen, [ResidencyDraft(mei.pk, home.pk, since=date(2026, 1, 1))])
    assert [row.person for row in selectors.residents(chen, world.songshan.path)] == [mei]
    with pytest.raises(Conflict):
        services.move_in(chen, [ResidencyDraft(mei.pk, home.pk)])
    with pytest.raises(Invalid):
        services.move_out(chen, stay.pk, date(2025, 1, 1))
    services.move_out(chen, stay.pk)
    assert not selectors.residents(chen, world.songshan.path) and Residency.objects.count() == 1
    with pytest.raises(Forbidden):
        services.create_households(world.act(world.alice), [HouseholdDraft(world.door.pk, "302")])


def test_a_plate_opens_its_own_compound_only(world: Any) -> None:
    services.register_vehicle(world.act(world.chen), VehicleDraft("辽a·d1 2345", world.songshan.pk))
    vehicle = Vehicle.objects.get()
    assert (vehicle.plate, vehicle.colour) == ("辽AD12345", "green")
    assert selectors.registered_plates(world.door.path) == {"辽AD12345"}
    assert selectors.registered_plates(world.changjiang.path) == frozenset()
    with pytest.raises(Conflict):
        services.register_vehicle(SYSTEM, VehicleDraft("辽AD12345", world.songshan.pk))
    with pytest.raises(Invalid, match="/0/plate"):
        services.register_vehicle(SYSTEM, VehicleDraft("whatever", world.songshan.pk))
    services.remove_vehicle(world.act(world.chen), vehicle.pk, "卖了")
    assert selectors.registered_plates(world.songshan.path) == frozenset()


def test_consent_is_withdrawn_as_easily_as_given(world: Any, mei: Person, stage: Any) -> None:
    user = stage._user("Mei", "resident", world.songshan)
    user.person = mei
    user.save()
    me = world.act(user)
    services.give_consent(me, mei.pk, "face", "本人在手机上同意")
    assert selectors.has_consent(mei.pk, "face") and not selectors.has_consent(mei.pk, "welfare")
    services.withdraw_consent(me, mei.pk, "face")
    assert not selectors.has_consent(mei.pk, "face")
    services.give_consent(me, mei.pk, "face", "再次同意")
    assert selectors.consents(me, mei.pk).count() == 2
    selectors.look(world.act(world.chen), mei.pk, "核对")
    assert selectors.looks_at_me(me).first().reason == "核对"
    other = services.create_person(SYSTEM, PersonDraft("王五", world.songshan.pk))
    with pytest.raises(NotFound):
        services.give_consent(me, other.pk, "face", "代签")
    with pytest.raises(NotFound):
        selectors.get(me, other.pk)


def test_a_correction_cannot_take_another_persons_identity(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    other = services.create_person(chen, PersonDraft("王五", world.songshan.pk))
    keyring.rotate()
    with pytest.raises(Conflict):
        services.correct_person(chen, other.pk, PersonChange(identity=IDENTITY))
    services.correct_person(chen, mei.pk, PersonChange(identity=IDENTITY, name="李梅梅"))
    assert selectors.get(chen, mei.pk).name == "李梅梅"


def test_working_for_an_office_begins_and_ends(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    draft = services.OrganisationDraft("office", "property", "物业", world.songshan.pk)
    (office,) = services.create_organisations(chen, [draft])
    (job,) = services.add_members(chen, [services.MembershipDraft(mei.pk, office.pk, "保安", date(2026, 1, 1))])
    assert [row.title for row in selectors.members(chen, office.pk)] == ["保安"]
    services.end_membership(chen, job.pk)
    assert not selectors.members(chen, office.pk)
    with pytest.raises(NotFound):
        services.end_membership(world.act(world.bob), job.pk)


def test_what_its_purpose_no_longer_needs_is_removed_and_the_removal_proven(world: Any, mei: Person) -> None:
    chen = world.act(world.chen)
    (home,) = services.create_households(chen, [HouseholdDraft(world.door.pk, "301")])
    stayer = services.create_person(chen, PersonDraft("留下", world.songshan.pk))
    stays = [ResidencyDraft(mei.pk, home.pk, "tenant", date(2020, 1, 1), date(2024, 1, 1))]
    services.move_in(chen, [*stays, ResidencyDraft(stayer.pk, home.pk, since=date(2020, 1, 1))])
    Person.objects.update(updated_at="2024-01-01T00:00:00Z")
    left = VehicleDraft("辽A12345", world.songshan.pk, since=date(2024, 1, 1), until=date(2026, 1, 1))
    services.register_vehicles(chen, [left, VehicleDraft("辽A54321", world.songshan.pk)])
    purged = services.purge(SYSTEM, date(2026, 11, 23))
    assert (purged.people, purged.vehicles, purged.consents) == (1, 1, 0)
    assert Person.objects.get(pk=mei.pk).erased_at and not Person.objects.get(pk=stayer.pk).erased_at
    assert [vehicle.plate for vehicle in Vehicle.objects.all()] == ["辽A54321"]
    assert AuditEntry.objects.get(action="parties.purge").data == {"people": 1, "vehicles": 1, "consents": 0}
    assert services.purge(SYSTEM, date(2026, 11, 23)).people == 0
    assert AuditEntry.objects.filter(action="parties.purge").count() == 1
