"""Codes on a phone: genuine, forged, old, early, copied, used up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.doors import (
    ClockQuality,
    Flag,
    QrError,
    Technology,
    VisitorClaims,
    make_resident_code,
    make_visitor_code,
    read_code,
    resident_key,
    visitor_key,
)
from shoufu.engines.doors.qr import STEP, decode, encode

from .making import GATE, NOW, QR_KEY, Post, credential, loaded

ME = b"phone1"
GROUP = 3


def code(step: int, credential_id: bytes = ME, key: bytes | None = None, group: int = GROUP) -> bytes:
    return make_resident_code(key or resident_key(QR_KEY, credential_id), group, credential_id, step).encode()


RULES = loaded(credential(ME, Technology.QR))


def post() -> Post:
    return Post(RULES)


def claims(**fields: object) -> VisitorClaims:
    given_: dict[str, object] = {"pass_id": b"visit1", "valid_from": int(NOW) - 60, "minutes": 60, "doors": 1}
    return VisitorClaims(**{**given_, **fields})  # type: ignore[arg-type]


def visitor(step: int = 0, **fields: object) -> bytes:
    told = claims(**fields)
    return make_visitor_code(visitor_key(QR_KEY, told.pack()), GROUP, told, step).encode()


def reason(found: object) -> str:
    return str(found.reason)  # type: ignore[attr-defined]


@given(st.binary(max_size=80))
def test_base45_both_ways(content: bytes) -> None:
    assert decode(encode(content)) == content


def test_base45_as_in_the_rfc() -> None:
    assert encode(b"AB") == "BB8"
    assert encode(b"Hello!!") == "%69 VD92EX0"
    assert decode("QED8WEX0") == b"ietf!"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = post().show(text.encode(), Technology.QR)
    assert not found.granted


def test_sizes_fit_the_small_codes() -> None:
    assert len(code(1)) == 29
    assert len(visitor()) == 48


def test_a_resident_gets_in_once_with_a_code() -> None:
    door = post()
    step = int(NOW // STEP)
    assert door.show(code(step), Technology.QR).granted
    assert reason(door.show(code(step), Technology.QR)) == "code_used"
    assert reason(door.show(code(step - 1), Technology.QR)) == "code_used"
    door.wait(STEP)
    assert door.show(code(step + 1), Technology.QR).granted


@pytest.mark.parametrize(("offset", "told"), [(-2, "code_old"), (-1, "granted"), (1, "granted"), (2, "code_early")])
def test_the_window_of_time(offset: int, told: str) -> None:
    assert reason(post().show(code(int(NOW // STEP) + offset), Technology.QR)) == told


def test_forged_in_every_byte() -> None:
    good = decode(code(int(NOW // STEP)).decode())
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0x01
        found = post().show(encode(bytes(bad)).encode(), Technology.QR)
        assert reason(found) in {"code_forged", "code_unreadable", "other_group"}, at


def test_somebody_elses_key_makes_no_code_of_mine() -> None:
    stolen = resident_key(QR_KEY, b"phone2")
    assert reason(post().show(code(int(NOW // STEP), key=stolen), Technology.QR)) == "code_forged"
    assert reason(post().show(code(int(NOW // STEP), key=resident_key(b"x" * 32, ME)), Technology.QR)) == "code_forged"


def test_a_genuine_code_of_nobody_registered() -> None:
    assert reason(post().show(code(int(NOW // STEP), b"phone9"), Technology.QR)) == "unknown_credential"


def test_without_a_clock_no_code_opens() -> None:
    told = code(int(NOW // STEP))
    assert reason(post().show(told, Technology.QR, clock=ClockQuality.LOST)) == "clock_lost"
    assert reason(post().show(told, Technology.QR, clock=ClockQuality.HELD, uncertainty=31.0)) == "clock_lost"
    assert reason(post().show(visitor(fixed=True), Technology.QR, clock=ClockQuality.LOST)) == "clock_lost"


def test_a_refused_code_is_not_used_up() -> None:
    door = Post(loaded(credential(ME, Technology.QR, doors=0b110)))
    step = int(NOW // STEP)
    assert reason(door.show(code(step), Technology.QR)) == "not_at_this_door"
    door.rules = loaded(credential(ME, Technology.QR))
    assert door.show(code(step), Technology.QR).granted


def test_a_visitor_passes_without_the_door_having_heard_of_them() -> None:
    door = post()
    found = door.show(visitor(fixed=True), Technology.QR)
    assert found.granted
    assert found.technology == Technology.VISITOR
    door.wait(3600)
    assert reason(door.show(visitor(fixed=True), Technology.QR)) == "expired"
    assert reason(post().show(visitor(fixed=True, valid_from=int(NOW) + 5), Technology.QR)) == "not_yet_valid"
    assert reason(post().show(visitor(fixed=True, doors=2), Technology.QR)) == "not_at_this_door"


def test_a_visitor_cannot_stretch_a_code() -> None:
    mine = visitor_key(QR_KEY, claims().pack())
    longer = claims(minutes=600)
    assert reason(post().show(make_visitor_code(mine, GROUP, longer, 0).encode(), Technology.QR)) == "code_forged"


def test_a_code_that_must_turn_may_not_stand_still() -> None:
    assert reason(post().show(visitor(0), Technology.QR)) == "code_old"
    door = post()
    step = int(NOW // STEP)
    assert door.show(visitor(step), Technology.QR).granted
    assert reason(door.show(visitor(step), Technology.QR)) == "code_used"


def test_passes_are_counted_at_the_door() -> None:
    door = post()
    for told in ("granted", "granted", "pass_used_up"):
        assert reason(door.show(visitor(fixed=True, passes=2), Technology.QR)) == told


def test_a_count_over_doors_needs_one_controller() -> None:
    door = post()
    assert door.show(visitor(fixed=True, passes=1, total=True, doors=0b11), Technology.QR).granted
    assert (
        reason(door.show(visitor(fixed=True, passes=1, total=True, doors=0b11), Technology.QR, reader=3))
        == "pass_used_up"
    )
    assert reason(door.show(visitor(fixed=True, passes=1, total=True, doors=0b101), Technology.QR)) == "pass_not_bound"


def test_a_withdrawn_pass() -> None:
    gone = credential(b"visit1", Technology.VISITOR, flags=Flag.REVOKED)
    assert reason(Post(loaded(gone)).show(visitor(fixed=True), Technology.QR)) == "revoked"


def test_places_of_another_group() -> None:
    told = make_resident_code(resident_key(QR_KEY, ME), 5, ME, int(NOW // STEP)).encode()
    assert reason(post().show(told, Technology.QR)) == "other_group"


def test_reading_says_what_it_is() -> None:
    with pytest.raises(QrError):
        read_code("HTTPS://EXAMPLE.COM")
    found = read_code(visitor(fixed=True).decode())
    assert found.claims == claims(fixed=True)  # type: ignore[union-attr]
    assert GATE == 0
