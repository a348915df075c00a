"""Rule sets: built, signed, brought forward, and refused when anything about them is wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines.doors import (
    Credential,
    Flag,
    Gap,
    NotNewer,
    RuleSetError,
    Tampered,
    Technology,
    apply_delta,
    build,
    delta,
    load,
    pack_record,
    sign,
    unpack_record,
)

from .making import KEY, PUBLIC, blob, credential, loaded, rule_set

credentials = st.builds(
    Credential,
    key=st.binary(min_size=8, max_size=8),
    technology=st.sampled_from(Technology),
    valid_from=st.integers(26_297_280, 29_000_000).map(lambda minute: minute * 60),
    valid_until=st.none() | st.integers(29_000_001, 43_000_000).map(lambda minute: minute * 60),
    schedule=st.integers(0, 255),
    doors=st.integers(0, 2**32 - 1),
    person=st.integers(0, 2**24 - 1),
    flags=st.integers(0, 127).map(Flag),
    lease_days=st.sampled_from([0, 7, 14, 30]),
)


@settings(max_examples=50)
@given(credentials)
def test_a_record_is_24_bytes_and_says_what_was_put_in(one: Credential) -> None:
    packed = pack_record(one)
    assert len(packed) == 24
    assert unpack_record(packed) == one


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(credentials, max_size=20))
def test_a_blob_holds_all_credentials(many: list[Credential]) -> None:
    rules = load(blob(rule_set(*many)), [PUBLIC], "gate-1")
    assert set(rules.credentials()) == set(many)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(credentials, max_size=12), st.lists(credentials, max_size=12), st.data())
def test_a_delta_makes_the_new_blob_to_the_byte(
    kept: list[Credential], news: list[Credential], data: st.DataObject
) -> None:
    old = blob(rule_set(*kept))
    gone = data.draw(st.sets(st.sampled_from(range(len(kept))))) if kept else set()
    rest = [one for number, one in enumerate(kept) if number not in gone]
    new = blob(rule_set(*rest, *news, version=2))
    assert apply_delta(old, delta(old, new)) == new


def test_every_changed_byte_is_noticed() -> None:
    good = blob(rule_set(credential(b"AA"), credential(b"BB")))
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << random.Random(at).randrange(8)
        with pytest.raises(Tampered):
            load(bytes(bad), [PUBLIC], "gate-1")


@pytest.mark.parametrize("cut", [0, 5, 30, 200])
def test_a_blob_cut_short_is_noticed(cut: int) -> None:
    with pytest.raises(Tampered):
        load(blob(rule_set(credential(b"AA")))[:cut], [PUBLIC], "gate-1")


def test_a_delta_on_another_rule_set_is_a_gap() -> None:
    one, two, three = (blob(rule_set(credential(bytes([n])), version=n)) for n in (1, 2, 3))
    with pytest.raises(Gap):
        apply_delta(one, delta(two, three))


def test_a_damaged_delta_never_becomes_a_rule_set() -> None:
    old = blob(rule_set(*(credential(bytes([n])) for n in range(9))))
    new = blob(rule_set(*(credential(bytes([n])) for n in range(3, 12)), version=2))
    change = delta(old, new)
    for at in range(len(change)):
        bad = bytearray(change)
        bad[at] ^= 0x10
        with pytest.raises(RuleSetError):
            load(apply_delta(old, bytes(bad)), [PUBLIC], "gate-1", newer_than=1)


def test_fifty_changes_of_twenty_thousand_are_small() -> None:
    many = [credential(number.to_bytes(4, "big")) for number in range(20_000)]
    old, new = blob(rule_set(*many)), blob(rule_set(*many[50:], version=2))
    assert len(old) < 490_000
    assert len(delta(old, new)) < 1_300


def test_another_controllers_set_an_older_one_and_a_strangers_are_refused() -> None:
    good = blob(rule_set(version=4))
    with pytest.raises(RuleSetError, match="gate-2"):
        load(good, [PUBLIC], "gate-2")
    for held in (4, 5):
        with pytest.raises(NotNewer):
            load(good, [PUBLIC], "gate-1", newer_than=held)
    with pytest.raises(Tampered):
        load(good, [b"\x01" * 32], "gate-1")
    assert load(good, [b"\x01" * 32, PUBLIC], "gate-1").version == 4


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="interlocked"):
        build(_with_door(interlock=(9,)))
    with pytest.raises(ValueError, match="lease_days"):
        pack_record(credential(b"AA", lease=5))
    with pytest.raises(ValueError, match="zone"):
        loaded_zone("Mars/Olympus")


def _with_door(**fields: object):  # type: ignore[no-untyped-def]
    return rule_set(**fields)


def loaded_zone(zone: str) -> bytes:
    import msgspec

    rules = rule_set()
    return sign(build(msgspec.structs.replace(rules, settings=msgspec.structs.replace(rules.settings, zone=zone))), KEY)


def test_several_records_of_one_credential_stay_apart() -> None:
    rules = loaded(credential(b"AA", doors=1, schedule=1), credential(b"AA", doors=2))
    assert len(rules) == 2
    assert len(rules.index) == 1
