from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.devices import commands, selectors, services
from shoufu.kernel.devices.commands import CommandDraft
from shoufu.kernel.devices.models import Change, Command, Device
from shoufu.kernel.devices.services import DeviceChange, DeviceDraft, StateChange, Status

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-23T18:00:00+08:00")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def camera(world: Any) -> Device:
    draft = DeviceDraft("cam-1", "camera", "北院-02", world.songshan.pk, "North Yard 02")
    return services.register(world.act(world.chen), draft).device


def test_a_secret_is_shown_once_and_opens_only_its_own_device(world: Any) -> None:
    chen = world.act(world.chen)
    made = services.register_many(chen, [DeviceDraft(f"d{n}", "sensor", "传感器", world.songshan.pk) for n in (1, 2)])
    one, two = made
    assert one.secret != two.secret and one.secret not in str(Device.objects.values_list())
    identity = selectors.authenticate("d1", one.secret)
    assert identity is not None and (identity.id, identity.path) == (one.device.pk, world.songshan.path)
    assert selectors.authenticate(None, two.secret) is not None
    for code, secret in (("d1", two.secret), ("d1", ""), ("nobody", one.secret), (None, "x"), ("d2", one.secret)):
        assert selectors.authenticate(code, secret) is None
    assert one.secret not in str(list(AuditEntry.objects.values()))


def test_rotating_and_retiring_end_the_old_secret(world: Any) -> None:
    chen = world.act(world.chen)
    old = services.register(chen, DeviceDraft("d1", "sensor", "传感器", world.songshan.pk))
    new = services.rotate_secret(chen, old.device.pk)
    assert selectors.authenticate("d1", old.secret) is None and selectors.authenticate("d1", new.secret)
    with pytest.raises(Invalid):
        services.retire(chen, old.device.pk, "")
    services.retire(chen, old.device.pk, "报废")
    assert selectors.authenticate("d1", new.secret) is None
    assert "d1" not in {device.code for device in selectors.visible(chen)}
    assert selectors.get(chen, old.device.pk).retired_at
    with pytest.raises(Conflict):
        services.rotate_secret(chen, old.device.pk)


def test_many_devices_cost_as_many_queries_as_one(world: Any, django_assert_max_num_queries: Any) -> None:
    drafts = [DeviceDraft(f"d{n}", "sensor", "传感器", world.songshan.pk) for n in range(500)]
    with django_assert_max_num_queries(8):
        services.register_many(SYSTEM, drafts)


def test_bad_drafts_are_all_named_and_nothing_is_registered(world: Any) -> None:
    drafts = [
        DeviceDraft("ok", "sensor", "传感器", world.songshan.pk),
        DeviceDraft("a/b", "toaster", " ", world.songshan.pk),
        DeviceDraft("c", "sensor", "x", 0),
    ]
    with pytest.raises(Invalid) as refused:
        services.register_many(SYSTEM, drafts)
    assert {error.field for error in refused.value.errors} == {"/1/code", "/1/kind", "/1/name", "/2/place"}
    assert not Device.objects.filter(code="ok").exists()


def test_the_neighbour_and_the_guard_may_not(world: Any, camera: Device, stage: Any) -> None:
    boss = world.act(stage._user("Boss", "property_manager", world.changjiang))
    for attempt in (
        lambda: selectors.get(boss, camera.pk),
        lambda: services.rotate_secret(boss, camera.pk),
        lambda: services.configure(boss, camera.pk, 1, {}),
        lambda: commands.queue(boss, CommandDraft(camera.pk, "reboot", reason="x")),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(Invalid):  # a foreign place looks as if it were not there
        services.register(boss, DeviceDraft("x", "sensor", "x", world.songshan.pk))
    with pytest.raises(Forbidden):
        services.retire(world.act(world.alice), camera.pk, "x")


def test_zones_and_lines_are_checked(world: Any, camera: Device) -> None:
    chen = world.act(world.chen)
    zone = {"name": "院内", "kind": "zone", "points": [[0, 0], [1, 0], [1, 1]]}
    line = {"name": "门线", "kind": "line", "points": [[0, 0.5], [1, 0.5]]}
    saved = services.configure(chen, camera.pk, 1, {"source": "rtsp://x", "zones": [zone, line], "watch": {"fps": 5}})
    assert saved.version == 2 and len(saved.config["zones"]) == 2
    with pytest.raises(Conflict):  # somebody else drew on version 1
        services.configure(chen, camera.pk, 1, {"zones": []})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"zones": [{**zone, "points": [[0, 0], [1.2, 0], [1, 1]]}]}, "config/zones/0/points/1"),
        ({"zones": [{**zone, "points": [[0, 0], [1, 1]]}]}, "config/zones/0/points"),
        ({"zones": [{**zone, "points": [[0, "x"]]}]}, "config/zones/0/points/0/1"),
        ({"zones": [zone, {**line, "name": "院内"}]}, "config/zones/1/name"),
        ({"zones": [{**zone, "kind": "circle"}]}, "config/zones/0/kind"),
        ({"colour": "red"}, "config"),
        ({"watch": {"x": "y" * 70_000}}, "config"),
    ]
    for config, field in wrong:
        with pytest.raises(Invalid) as refused:
            services.configure(chen, camera.pk, 2, config)
        assert field in {error.field for error in refused.value.errors}
    assert AuditEntry.objects.filter(action="devices.configure").count() == 1


def test_moving_a_device_needs_the_right_at_both_places(world: Any, camera: Device) -> None:
    chen = world.act(world.chen)
    services.change(chen, camera.pk, 1, DeviceChange(name="新名", place=world.door.pk))
    with pytest.raises(Invalid):
        services.change(chen, camera.pk, 2, DeviceChange(place=world.changjiang.pk))


def test_status_follows_the_newest_word_and_never_goes_back(
    world: Any, camera: Device, django_assert_num_queries: Any
) -> None:
    controller = world.controller
    with django_assert_num_queries(1):
        services.apply_status(
            [Status(camera.pk, NOW, "online"), Status(controller.pk, NOW), Status(camera.pk, after(5))]
        )
    camera.refresh_from_db()
    assert (camera.status, camera.status_since, camera.last_seen) == ("online", NOW, after(5))
    services.apply_status([Status(camera.pk, after(3), "offline")])  # late
    services.apply_status([Status(camera.pk, after(9), "online")])
    camera.refresh_from_db()
    assert (camera.status, camera.status_since, camera.last_seen) == ("online", NOW, after(9))
    controller.refresh_from_db()
    assert controller.status == "unknown" and controller.last_seen == NOW
    assert services.apply_status([]) == 0


def test_a_silent_device_goes_offline_at_the_third_missed_beat(world: Any, camera: Device) -> None:
    services.apply_status([Status(camera.pk, NOW, "online")])
    assert services.mark_silent(after(179)) == []
    assert services.mark_silent(after(181)) == [camera.pk] and services.mark_silent(after(400)) == []
    camera.refresh_from_db()
    assert (camera.status, camera.status_since) == ("offline", after(180))
    assert selectors.health(world.act(world.chen)).states == {"offline": 1, "unknown": 1}
    assert selectors.health(world.act(world.bob)).total == 0


def test_the_past_is_shown_as_it_was_known_then(world: Any, django_assert_num_queries: Any) -> None:
    """The door opened at +10 s, but its report of +5 s "locked" came only at +60 s."""
    door = world.controller.pk
    facts = [("closed", 0, 0), ("open", 10, 10), ("locked", 5, 60), ("closed", 100, 100)]
    services.record_changes(StateChange(door, "state", v, after(at), after(known)) for v, at, known in facts)
    services.record_changes([StateChange(door, "state", "closed", NOW, NOW)])  # the same twice
    assert Change.objects.count() == 4
    alice = world.act(world.alice)

    def seen(at: float, known: float | None = None) -> list[Any]:
        states = selectors.states_as_of(alice, "/", after(at), None if known is None else after(known))
        return [state.value for state in states]

    assert seen(7) == ["closed"] and seen(7, 200) == ["locked"]
    assert seen(50) == ["open"] and seen(150) == ["closed"] and seen(-1) == []
    with django_assert_num_queries(2):
        selectors.states_as_of(alice, "/", NOW)
    assert selectors.states_as_of(world.act(world.bob), "/", after(50)) == []


def test_a_command_is_sent_once_and_answered_once(world: Any) -> None:
    alice, door = world.act(world.alice), world.controller.pk
    with pytest.raises(Invalid, match="reason"):
        commands.queue(alice, CommandDraft(door, "open"))
    order = commands.queue(alice, CommandDraft(door, "open", reason="住户忘带钥匙"))
    assert [waiting.pk for waiting in commands.pending(door)] == [order.pk]
    assert commands.sent([order.pk]) == 1 and commands.sent([order.pk]) == 0 and commands.pending(door) == []
    done = commands.acknowledge(SYSTEM, door, order.pk, done=True, answer={"bolt": "unlocked"})
    assert done.state == "done" and commands.acknowledge(SYSTEM, door, order.pk, done=True, answer={}).pk == order.pk
    with pytest.raises(Conflict):
        commands.acknowledge(SYSTEM, door, order.pk, done=False, answer={})
    with pytest.raises(NotFound):
        commands.acknowledge(SYSTEM, door + 1, order.pk, done=True, answer={})
    actions = list(
        AuditEntry.objects.filter(action__startswith="devices.").order_by("id").values_list("action", flat=True)
    )
    assert actions == ["devices.command", "devices.command_answer"]


def test_an_order_lapses(world: Any) -> None:
    order = commands.queue(world.act(world.alice), CommandDraft(world.controller.pk, "open", reason="x", seconds=1))
    Command.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert commands.pending(world.controller.pk) == [] and commands.expire(SYSTEM) == 1 and commands.expire(SYSTEM) == 0
    with pytest.raises(Conflict):
        commands.acknowledge(SYSTEM, world.controller.pk, order.pk, done=True, answer={})


def test_the_shadow_keeps_wish_and_report_apart(world: Any, camera: Device) -> None:
    chen = world.act(world.chen)
    services.desire(chen, camera.pk, {"mode": "night", "fps": 5})
    services.desire(chen, camera.pk, {"fps": None})
    assert services.report(SYSTEM, camera.pk, 2, {"mode": "day"}) and not services.report(
        SYSTEM, camera.pk, 1, {"x": 1}
    )
    shadow = selectors.shadow(chen, camera.pk)
    assert (shadow.desired, shadow.desired_version, shadow.reported) == ({"mode": "night"}, 2, {"mode": "day"})
