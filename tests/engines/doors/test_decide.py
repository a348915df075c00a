"""Who gets in, and what is told of it."""

from __future__ import annotations

from shoufu.engines.doors import Alarm, ClockQuality, Flag, Input, Mode, Technology, observe, reset_fire, tick, words
from shoufu.engines.doors.state import Bolt, Contact

from .making import GATE, IN, INNER, NONE, NOW, OUT, OUTER, Post, at, credential, loaded

CARD = b"04A1B2C3"


def post(*more: object, flags: Flag = NONE, **doors: object) -> Post:
    return Post(loaded(credential(CARD, flags=flags), *more, **doors))  # type: ignore[arg-type]


def told(found: object) -> str:
    return str(found.reason)  # type: ignore[attr-defined]


def see(door: Post, what: Input, value: str, number: int = GATE) -> list[str]:
    found = observe(door.rules, door.state, number, what, value, door.now, door.uptime)
    return [str(change.alarm) for change in found if change.alarm]


def test_a_card_opens_and_says_by_which_rules() -> None:
    found = post().show(CARD)
    assert found.granted
    assert (found.pulse, found.version, found.person, found.clock) == (5.0, 1, 7, "synced")
    assert words(found.reason) == "请进"


def test_every_reason_has_words_in_both_languages() -> None:
    from shoufu.engines.doors import Reason

    assert all(words(reason) and words(reason, "en") for reason in Reason)


def test_refusals_name_their_reason() -> None:
    assert told(post().show(b"00000000")) == "unknown_credential"
    assert told(post().show(CARD, Technology.PLATE)) == "unknown_credential"
    assert told(Post(loaded(credential(CARD, doors=2))).show(CARD)) == "not_at_this_door"
    assert told(Post(loaded(credential(CARD, end=NOW))).show(CARD)) == "expired"
    assert told(Post(loaded(credential(CARD, begin=NOW + 120))).show(CARD)) == "not_yet_valid"
    assert told(post(flags=Flag.REVOKED).show(CARD)) == "revoked"
    assert told(post().show(CARD, reader=77)) == "unknown_reader"
    assert told(Post(loaded(credential(CARD, schedule=1)), at("2026-11-24 20:00")).show(CARD)) == "outside_schedule"


def test_of_two_levels_the_one_that_opens_wins_and_a_withdrawal_beats_all() -> None:
    evening = at("2026-11-24 20:00")
    both = Post(loaded(credential(CARD, schedule=1), credential(CARD, doors=1)), evening)
    assert both.show(CARD).granted
    assert told(both.show(CARD, reader=4)) == "interlock" or told(both.show(CARD, reader=4)) == "outside_schedule"
    gone = loaded(credential(CARD), credential(CARD, doors=2, flags=Flag.REVOKED))
    assert told(Post(gone).show(CARD)) == "revoked"


def test_a_lease_ends_by_itself_and_a_sync_renews_it() -> None:
    door = Post(loaded(credential(CARD, lease=7)))
    door.wait(7 * 86_400 - 1)
    assert door.show(CARD).granted
    door.wait(1)
    assert told(door.show(CARD)) == "lease_expired"
    door.state.synced_at = door.now
    assert door.show(CARD).granted
    emergency = Post(loaded(credential(CARD, lease=0)))
    emergency.wait(400 * 86_400)
    assert emergency.show(CARD).granted


def test_without_a_clock_cards_open_and_schedules_do_not() -> None:
    assert post().show(CARD, clock=ClockQuality.LOST).granted
    assert told(Post(loaded(credential(CARD, schedule=1))).show(CARD, clock=ClockQuality.LOST)) == "clock_lost"
    assert told(Post(loaded(credential(CARD, end=NOW))).show(CARD, clock=ClockQuality.LOST)) == "expired"


def test_modes_of_a_lock_down() -> None:
    duty = credential(b"99", flags=Flag.EMERGENCY)
    for mode, resident, officer in (
        (Mode.LOCKED_DOWN, "locked_down", "granted"),
        (Mode.DOUBLE_LOCKED, "double_locked", "granted"),
        (Mode.BLOCKED, "blocked", "blocked"),
        (Mode.LOCKED_OPEN, "door_unlocked", "door_unlocked"),
        (Mode.UNLOCKED, "door_unlocked", "door_unlocked"),
    ):
        door = post(duty)
        door.state.door(GATE).mode = mode
        assert told(door.show(CARD)) == resident
        assert told(door.show(b"99")) == officer
        assert door.show(CARD, reader=OUT).granted, "the way out is free in every mode"


def test_an_order_ends_with_its_time() -> None:
    door = post()
    door.state.door(GATE).mode, door.state.door(GATE).mode_until = Mode.LOCKED_DOWN, NOW + 60
    assert told(door.show(CARD)) == "locked_down"
    door.wait(60)
    assert door.show(CARD).granted


def test_whoever_is_inside_gets_out_with_anything() -> None:
    door = post(flags=Flag.REVOKED)
    for shown in (CARD, b"rubbish"):
        found = door.show(shown, reader=OUT)
        assert (found.granted, told(found)) == (True, "exit")


def test_anti_passback_logs_and_opens() -> None:
    door = post()
    assert door.show(CARD).alarms == ()
    second = door.show(CARD)
    assert second.granted
    assert second.alarms == (Alarm.ANTIPASSBACK,)
    door.show(CARD, reader=OUT)
    assert door.show(CARD).alarms == ()
    door.state.forgive(7)
    assert door.show(CARD).alarms == ()
    assert post(flags=Flag.FREE_ROAM).show(CARD).alarms == ()


def test_late_news_does_not_change_where_somebody_is() -> None:
    door = post()
    door.show(CARD)
    door.state.see(7, 1, NOW - 30)
    assert door.state.areas[7][0] == 2


def test_the_exit_button_makes_the_area_unknown() -> None:
    door = post()
    door.show(CARD)
    see(door, Input.EXIT, "1")
    assert door.show(CARD).alarms == ()


def test_interlock_waits_for_closed_and_locked() -> None:
    door = post()
    see(door, Input.CONTACT, "closed", OUTER)
    see(door, Input.BOLT, "locked", OUTER)
    assert door.show(CARD, reader=3).alarms == ()
    see(door, Input.CONTACT, "closed", INNER)
    see(door, Input.BOLT, "locked", INNER)
    assert told(door.show(CARD, reader=4)) == "interlock", "the inner lock is still released"
    door.wait(6)
    assert door.show(CARD, reader=4).granted
    door.wait(6)
    see(door, Input.BOLT, "unlocked", OUTER)
    assert told(door.show(CARD, reader=3)) == "interlock"
    see(door, Input.BOLT, "locked", OUTER)
    see(door, Input.CONTACT, "open", OUTER)
    assert told(door.show(CARD, reader=3)) == "interlock"


def test_a_broken_contact_is_an_alarm_not_a_trap() -> None:
    door = post()
    see(door, Input.BOLT, "locked", OUTER)
    assert see(door, Input.CONTACT, "fault", OUTER) == ["contact_fault"]
    found = door.show(CARD, reader=3)
    assert found.granted
    assert Alarm.INTERLOCK_FAULT in found.alarms


def test_duress_opens_like_any_other_code() -> None:
    pins = (credential(b"40718253", Technology.PIN), credential(b"40718254", Technology.PIN, flags=Flag.DURESS))
    door = post(*pins)
    usual, forced = door.show(b"40718253", Technology.PIN), door.show(b"40718254", Technology.PIN)
    assert (forced.granted, forced.reason, forced.pulse) == (usual.granted, usual.reason, usual.pulse)
    assert (usual.duress, forced.duress) == (False, True)


def test_the_keypad_shuts_after_wrong_codes_and_cards_go_on() -> None:
    door = post(credential(b"40718253", Technology.PIN))
    for _ in range(5):
        assert told(door.show(b"11111112", Technology.PIN)) == "unknown_credential"
    assert told(door.show(b"40718253", Technology.PIN)) == "pin_locked_out"
    assert door.show(CARD).granted
    door.wait(60)
    assert told(door.show(b"40718253", Technology.PIN)) == "granted"
    for _ in range(5):
        door.show(b"11111112", Technology.PIN)
    door.wait(59)
    assert told(door.show(b"40718253", Technology.PIN)) == "pin_locked_out"


def test_the_second_lock_out_is_longer() -> None:
    door = post()
    for seconds in (60.0, 120.0, 240.0):
        for _ in range(5):
            door.show(b"11111112", Technology.PIN)
        assert door.state.door(GATE).pin_locked_until == door.uptime + seconds
        door.wait(seconds)


def test_slow_walkers_get_longer() -> None:
    found = post(flags=Flag.EXTENDED).show(CARD)
    assert (found.pulse, found.held) == (15.0, 120.0)


def test_fire_opens_everything_until_a_person_resets() -> None:
    door = post(flags=Flag.REVOKED)
    door.state.door(GATE).mode = Mode.LOCKED_DOWN
    assert "fire" in see(door, Input.FIRE, "1")
    assert told(door.show(b"anything")) == "fire_release"
    assert reset_fire(door.rules, door.state) == [], "the input is still active"
    assert "fire_input_ended" in see(door, Input.FIRE, "0")
    assert told(door.show(b"anything")) == "fire_release", "nobody has looked yet"
    assert reset_fire(door.rules, door.state)
    assert told(door.show(CARD)) == "revoked"


def test_forced_and_held_open() -> None:
    door = post()
    see(door, Input.CONTACT, "closed")
    assert see(door, Input.CONTACT, "open") == ["forced"]
    assert see(door, Input.CONTACT, "closed") == ["closed_again"]
    door.show(CARD)
    assert see(door, Input.CONTACT, "open") == []
    door.wait(46)
    first = tick(door.rules, door.state, door.uptime)
    assert [(change.alarm, change.sound) for change in first] == [("open_warning", True)]
    door.wait(15)
    assert [change.alarm for change in tick(door.rules, door.state, door.uptime)] == ["open_too_long"]
    assert tick(door.rules, door.state, door.uptime) == []
    assert see(door, Input.CONTACT, "closed") == ["closed_again"]


def test_closing_takes_the_rest_of_the_pulse_away() -> None:
    door = post()
    see(door, Input.CONTACT, "closed")
    door.show(CARD)
    see(door, Input.CONTACT, "open")
    see(door, Input.CONTACT, "closed")
    assert see(door, Input.CONTACT, "open") == ["forced"]


def test_two_through_on_one_card() -> None:
    door = post(tailgating=True)
    see(door, Input.CONTACT, "closed")
    door.show(CARD)
    see(door, Input.CONTACT, "open")
    assert see(door, Input.COUNT, "1") == []
    assert see(door, Input.COUNT, "1") == ["tailgating"]
    see(door, Input.CONTACT, "closed")
    door.show(CARD)
    door.show(CARD)
    see(door, Input.CONTACT, "open")
    assert see(door, Input.COUNT, "2") == []


def test_the_first_person_opens_the_hall_for_the_day() -> None:
    keeper = credential(b"01", flags=Flag.FIRST_PERSON)
    door = Post(loaded(credential(CARD, doors=2), keeper, unlock_schedule=1, first_person=True))
    assert told(door.show(CARD)) == "not_at_this_door"
    assert told(door.show(b"01")) == "granted"
    assert told(door.show(CARD)) == "door_unlocked"
    door.wait(9 * 3600)
    assert told(door.show(CARD)) == "not_at_this_door"
    door.wait(15 * 3600)
    assert told(door.show(CARD)) == "not_at_this_door", "a new day waits for its first person"


def test_facts_of_the_sensors() -> None:
    door = post()
    see(door, Input.CONTACT, "closed")
    see(door, Input.BOLT, "locked")
    at_gate = door.state.door(GATE)
    assert (at_gate.contact, at_gate.bolt) == (Contact.CLOSED, Bolt.LOCKED)
    assert IN == 1
    assert INNER == 1
