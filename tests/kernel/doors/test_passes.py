import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.engines import doors as engine
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import AccessPoint
from shoufu.kernel.doors.services import PassDraft

pytestmark = pytest.mark.django_db


@pytest.fixture
def wang(songshan: Any) -> Actor:
    """Wang's own account."""
    user = User.objects.create(username="wang", person=songshan.wang)
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role="resident", place=songshan.compound, since=since)
    return songshan.world.act(user)  # type: ignore[no-any-return]


def draft(songshan: Any, **more: Any) -> PassDraft:
    now = timezone.now()
    given = {"host": songshan.wang.pk, "since": now, "until": now + timedelta(hours=3)} | more
    return PassDraft(given.pop("place", songshan.units[0].pk), "张三", **given)


def test_a_resident_lets_a_visitor_in_to_the_own_unit(
    songshan: Any, wang: Actor, shown: Callable[..., Any], rules: Callable[..., Any]
) -> None:
    before = rules(songshan.gate).version
    issued = services.issue_pass(wang, draft(songshan))
    assert len(issued.payload) == 48
    assert shown(songshan.gate, "VISITOR", issued.payload).granted
    assert shown(songshan.doors[0], "VISITOR", issued.payload).granted
    assert shown(songshan.doors[1], "VISITOR", issued.payload).reason == "not_at_this_door"
    late = time.time() + 4 * 3600
    assert shown(songshan.gate, "VISITOR", issued.payload, at=late).reason == "expired"
    # The code speaks for itself: no door had to be told.
    assert rules(songshan.gate).version == before
    services.revoke_pass(wang, issued.visit.pk)
    assert shown(songshan.gate, "VISITOR", issued.payload).reason == "revoked"
    with pytest.raises(Invalid):
        services.show_again(wang, issued.visit.pk)


def test_a_resident_cannot_invite_to_anothers_door(songshan: Any, wang: Actor) -> None:
    with pytest.raises(Forbidden):
        services.issue_pass(wang, draft(songshan, place=songshan.units[1].pk))
    with pytest.raises(NotFound):
        services.issue_pass(wang, draft(songshan, host=songshan.li.pk))
    with pytest.raises(NotFound):
        services.issue_pass(songshan.world.act(songshan.world.bob), draft(songshan, host=None))
    assert services.issue_pass(songshan.world.act(songshan.world.alice), draft(songshan, host=None)).payload


def test_wrong_passes_are_named(songshan: Any, wang: Actor) -> None:
    now = timezone.now()
    for more, field in (
        ({"until": now - timedelta(hours=1)}, "until"),
        ({"until": now + timedelta(days=60)}, "until"),
        ({"purpose": "thief"}, "purpose"),
        ({"maximum": 99}, "maximum"),
        ({"points": (songshan.doors[1].pk,)}, "points"),
        ({"windows": [{"days": ["someday"], "from": "9", "to": "10:00"}]}, "windows/0/days"),
    ):
        with pytest.raises(Invalid) as refused:
            services.issue_pass(wang, draft(songshan, **more))
        assert field in {error.field for error in refused.value.errors}


def test_a_changed_code_opens_nothing(songshan: Any, wang: Actor, shown: Callable[..., Any]) -> None:
    payload = services.issue_pass(wang, draft(songshan)).payload
    forged = bytearray(engine.qr.decode(payload))
    forged[14] ^= 0xFF  # more doors
    assert shown(songshan.doors[1], "VISITOR", engine.qr.encode(bytes(forged))).reason == "code_forged"


def test_a_rotating_pass_is_made_by_the_page(songshan: Any, wang: Actor, shown: Callable[..., Any]) -> None:
    import hmac

    issued = services.issue_pass(wang, draft(songshan, rotating=True))
    assert not issued.payload
    now = time.time()
    head = issued.code.head + int(now // 30).to_bytes(4, "big")
    text = engine.qr.encode(head + hmac.digest(issued.code.key, head, "sha256")[: issued.code.size])
    assert shown(songshan.gate, "VISITOR", text, at=now).granted
    assert shown(songshan.gate, "VISITOR", text, at=now + 120).reason == "code_old"


def test_a_nurse_comes_on_her_days_only(songshan: Any, wang: Actor, shown: Callable[..., Any]) -> None:
    now = timezone.localtime()
    today = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[now.weekday()]
    other = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(now.weekday() + 3) % 7]
    for day, opens in ((today, True), (other, False)):
        # A public holiday is a day of its own kind.
        days = [day, "holiday"] if opens else [day]
        windows = [{"days": days, "from": "00:00", "to": "24:00"}]
        until = timezone.now() + timedelta(days=90)
        issued = services.issue_pass(wang, draft(songshan, windows=windows, until=until, purpose="care"))
        step = int(time.time() // 30)
        head = issued.code.head
        text = engine.make_resident_code(issued.code.key, head[0] & 15, head[1:], step)
        assert shown(songshan.gate, "QR", text).granted is opens


def test_a_phone_is_enrolled_listed_and_removed(songshan: Any, wang: Actor, shown: Callable[..., Any]) -> None:
    key = services.resident_qr_key(wang, songshan.wang.pk, "我的手机")
    text = engine.make_resident_code(key.key, key.group, key.identifier, int(time.time() // 30))
    assert shown(songshan.gate, "QR", text).granted and shown(songshan.doors[0], "QR", text).granted
    assert not shown(songshan.doors[1], "QR", text).granted
    assert [row.label for row in selectors.credentials_of(wang, songshan.wang.pk)] == ["我的手机"]
    assert {one.point.pk for one in selectors.doors_for(wang, songshan.wang.pk)} == {
        songshan.gate.pk,
        songshan.doors[0].pk,
    }
    with pytest.raises(NotFound):
        services.resident_qr_key(wang, songshan.li.pk)
    services.revoke_phone(wang, key.credential.pk)
    assert not shown(songshan.gate, "QR", text).granted


def test_more_doors_than_a_code_has_bits_do_not_open_each_other(
    songshan: Any, shown: Callable[..., Any], rules: Callable[..., Any]
) -> None:
    """The thirty-third door shares a bit: a pass for one of the two is withdrawn at the other."""
    from shoufu.kernel.devices import services as devices
    from shoufu.kernel.places import services as places
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.places.services import PlaceDraft

    numbers = range(3, 34)
    places.create_many(SYSTEM, [PlaceDraft("unit", f"s-b1-u{n}", f"{n}单元", "s-b1") for n in numbers])
    at = {place.code: place.pk for place in Place.objects.all()}
    made = devices.register_many(
        SYSTEM, [devices.DeviceDraft(f"dc-{n}", "door_controller", "x", at[f"s-b1-u{n}"]) for n in numbers]
    )
    readers = (services.ReaderDraft("qr"),)
    points = services.create_points(
        SYSTEM,
        [
            services.PointDraft(f"ap-{n}", "x", at[f"s-b1-u{n}"], "unit_door", one.device.pk, readers=readers)
            for n, one in zip(numbers, made, strict=True)
        ],
    )
    everything = [songshan.gate, *AccessPoint.objects.filter(kind="unit_door").select_related("controller")]
    bits = [point.group_bit for point in everything]
    assert len(everything) == 34 and set(bits) == set(range(32)) and bits.count(songshan.gate.group_bit) == 1
    twin = next(point for point in points if bits.count(point.group_bit) == 2)
    other = next(p for p in everything if p.group_bit == twin.group_bit and p.pk != twin.pk)
    issued = services.issue_pass(SYSTEM, draft(songshan, host=None, place=twin.place_id))
    assert shown(twin, "VISITOR", issued.payload).granted
    assert shown(other, "VISITOR", issued.payload).reason == "revoked"
