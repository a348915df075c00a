import threading
from typing import Any

import pytest

from shoufu.engines import doors as engine
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices.models import Command, Device
from shoufu.kernel.doors import keys, services
from shoufu.kernel.doors.models import AccessPoint, Controller
from shoufu.runtime.edge import doors as edge_doors

EAST = {"Authorization": "Bearer secret-door-east"}
RULES = "/v1/doors/rules"


@pytest.fixture
def point(district: dict[str, Any]) -> AccessPoint:
    device = Device.objects.get(code="door-east")
    return services.create_point(SYSTEM, services.PointDraft("ap-east", "东门", district["east"].pk, "gate", device.pk))


def level(point: AccessPoint) -> int:
    draft = services.LevelDraft("all", "全部", point.place_id, [services.DoorDraft(point.pk)])
    return services.create_levels(SYSTEM, [draft])[0].pk


def card(point: AccessPoint, level_id: int, number: str = "04A1B2C3") -> int:
    draft = services.CredentialDraft(point.place_id, "card", number, holder="访客", levels=(level_id,))
    return services.issue(SYSTEM, draft).credential.pk


class Poll(threading.Thread):
    """A long poll in the background."""

    def __init__(self, edge: Any, path: str) -> None:
        super().__init__(daemon=True)
        self._edge, self._path = edge, path
        self.answer: tuple[int, dict[str, str], Any] | None = None
        self.start()

    def run(self) -> None:
        self.answer = self._edge.request("GET", self._path, headers=EAST)


def waits(edge: Any, device_id: int) -> bool:
    doors = edge.parts.doors
    return any(wakes._waiting.get(device_id) for wakes in (doors.wakes, doors.order_wakes))


@pytest.mark.django_db(transaction=True)
def test_a_revocation_ends_the_waiting_poll_with_a_delta(
    point: AccessPoint, edge: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only a wake-up can end the poll before the client's own patience does.
    monkeypatch.setattr(edge_doors, "NET", 300.0)
    credential = card(point, level(point))
    status, headers, blob = edge.request("GET", f"{RULES}?have=0&hash=&wait=5", headers=EAST)
    assert (status, headers["shoufu-rules"]) == (200, "full") and int(headers["shoufu-time"]) > 0
    held = engine.load(blob, [keys.public_key()], "door-east")
    poll = Poll(edge, f"{RULES}?have={held.version}&hash={engine.hash_of(blob)}&wait=50")
    eventually(lambda: waits(edge, point.controller_id))
    assert Controller.objects.get(pk=point.controller_id).held == held.version
    services.revoke(SYSTEM, [credential], "退卡")
    poll.join(15)
    assert poll.answer is not None
    status, headers, change = poll.answer
    assert (status, headers["shoufu-rules"]) == (200, "delta") and len(change) < len(blob)
    new = engine.load(engine.apply_delta(blob, change), [keys.public_key()], "door-east", newer_than=held.version)
    assert len(new) == 0 and int(headers["shoufu-rules-version"]) == new.version
    # The next poll says what is held now: the receipt.
    whole = engine.apply_delta(blob, change)
    status, _h, _b = edge.request("GET", f"{RULES}?have={new.version}&hash={engine.hash_of(whole)}", headers=EAST)
    assert status == 204 and Controller.objects.get(pk=point.controller_id).held == new.version


@pytest.mark.django_db(transaction=True)
def test_who_holds_something_else_is_given_the_whole(point: AccessPoint, edge: Any) -> None:
    card(point, level(point))
    for query in ("have=1&hash=" + "00" * 32, "have=77&hash=" + "ab" * 32):
        status, headers, _blob = edge.request("GET", f"{RULES}?{query}&wait=0", headers=EAST)
        assert (status, headers["shoufu-rules"]) == (200, "full")
    assert edge.request("GET", f"{RULES}?have=x", headers=EAST)[0] == 422
    assert edge.request("GET", f"{RULES}?hash=zz", headers=EAST)[0] == 422
    assert edge.request("POST", RULES, b"", headers=EAST)[0] == 405
    assert edge.request("GET", RULES)[0] == 401
    west = {"Authorization": "Bearer secret-door-west"}
    assert edge.request("GET", f"{RULES}?have=0", headers=west)[0] == 404  # drives no access point


@pytest.mark.django_db(transaction=True)
def test_a_distrusted_controller_gets_nothing_more(point: AccessPoint, edge: Any) -> None:
    card(point, level(point))
    before = keys.hash_key(1)
    services.distrust(SYSTEM, point.controller_id, "被盗")
    assert edge.request("GET", f"{RULES}?have=0", headers=EAST)[0] in (401, 404)
    services.trust(SYSTEM, point.controller_id)
    from shoufu.kernel.doors.models import RuleSet

    newest = RuleSet.objects.filter(controller=point.controller_id).order_by("-version").first()
    assert newest is not None
    rules = engine.load(bytes(newest.blob), [keys.public_key()])
    assert rules.settings.hash_key != before and len(rules) == 1
    assert engine.credential_key(rules.settings.hash_key, engine.Technology.CARD, b"04A1B2C3") in rules.index


@pytest.mark.django_db(transaction=True)
def test_an_order_arrives_signed_and_is_answered_once(
    point: AccessPoint, edge: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_doors, "NET", 300.0)
    poll = Poll(edge, "/v1/doors/commands?wait=50")
    eventually(lambda: waits(edge, point.controller_id))
    services.ask_open(SYSTEM, point.pk, "快递")
    poll.join(15)
    assert poll.answer is not None and poll.answer[0] == 200
    import msgspec

    (order,) = (msgspec.convert(one, engine.Command) for one in poll.answer[2]["commands"])
    assert (order.name, order.door) == ("open", 0)
    assert engine.verify_command([keys.public_key()], "door-east", order)
    assert not engine.verify_command([keys.public_key()], "door-west", order)
    path = f"/v1/doors/commands/{order.id}"
    assert edge.request("POST", path, {"ok": True, "answer": "done"}, EAST)[0] == 204
    assert edge.request("POST", path, {"ok": True, "answer": "done"}, EAST)[0] == 204
    west = {"Authorization": "Bearer secret-door-west"}
    assert edge.request("POST", path, {"ok": True}, west)[0] == 404
    assert edge.request("POST", "/v1/doors/commands/x", {"ok": True}, EAST)[0] == 422
    assert Command.objects.get(pk=order.id).state == "done"
    assert edge.request("GET", "/v1/doors/commands?wait=0", headers=EAST)[0] == 204
