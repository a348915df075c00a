import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shoufu.kernel.base.errors import Problem
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.observations.directory import DeviceEntry, Directory, KindEntry
from shoufu.kernel.observations.intake import Admitted, Row, admit
from shoufu.kernel.observations.kinds import KERNEL_KINDS
from shoufu.kernel.observations.schema import compile_schema
from shoufu.kernel.observations.wire import Fault, parse

Item = Callable[..., dict[str, Any]]
LOOSE = {"type": "object", "properties": {"n": {"type": "integer"}, "text": {"type": "string"}}}


def _kind(number: int, code: str, schema: Any) -> KindEntry:
    validator = compile_schema(schema)
    return KindEntry(number, code, "", validator, validator.decode)


DOOR = DeviceEntry(1, "door", "door_controller", 5, "/1/5/", 0, b"1\t5\t0")
CAMERA = DeviceEntry(2, "camera", "camera", 6, "/1/6/", 0, b"2\t6\t0")
GATEWAY = DeviceEntry(3, "gateway", "gateway", 5, "/1/5/", 0, b"3\t5\t0")
KINDS = {kind.code: _kind(n, kind.code, kind.schema) for n, kind in enumerate(KERNEL_KINDS)}
KINDS["test.loose"] = _kind(99, "test.loose", LOOSE)
DIRECTORY = Directory({one.code: one for one in (DOOR, CAMERA, GATEWAY)}, {}, KINDS, {5: "/1/5/", 6: "/1/6/"})


def take(body: Any, sender: DeviceEntry = DOOR) -> list[Admitted]:
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return admit(parse(text)[0], sender, DIRECTORY)


def fault(body: Any, sender: DeviceEntry = DOOR) -> Fault:
    (one,) = take(body, sender)
    assert isinstance(one, Fault), one
    return one


def test_every_kernel_kind_is_checked_by_a_generated_struct() -> None:
    assert all(compile_schema(kind.schema).generated for kind in KERNEL_KINDS)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"kind": "door.nonsense"}, "/kind", "no kind"),
        ({"phenomenonTime": "1970-01-01T00:00:00Z"}, "/phenomenonTime", "30 days"),
        ({"phenomenonTime": "2026-11-23T10:00:00"}, "/phenomenonTime", "offset"),
        ({"phenomenonTime": 12}, "/phenomenonTime", "RFC 3339"),
        ({"id": "7"}, "/id", "version 7"),
        ({"id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"}, "/id", "version 7"),
        ({"result": {"state": "ajar"}}, "/result/state", "open, closed"),
        ({"result": {}}, "/result", "state"),
        ({"result": {"state": "open", "colour": 1}}, "/result", "leave it out"),
        ({"result": 5}, "/result", "object"),
        ({"device": "camera"}, "/device", "door"),
        ({"featureOfInterest": "x" * 201}, "/featureOfInterest", "200"),
        ({"featureOfInterest": "a\x00b"}, "/featureOfInterest", "U+0000"),
        ({"kind": "test.loose", "result": {"text": "a\x00b"}}, "/result", "U+0000"),
        ({"kind": "test.loose", "result": {"n": 10**30}}, "/result/n", "64 bits"),
        ({"kind": "test.loose", "result": {"text": "x" * 20_000}}, "/result", "at most"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix(item: Item, change: dict[str, Any], field: str, says: str) -> None:
    found = fault(item() | change)
    assert found.field == field
    assert says in found.message


def test_tomorrow_is_refused(item: Item) -> None:
    assert fault(item(at=time.time() + 86400)).field == "/phenomenonTime"
    assert isinstance(take(item(at=time.time() + 60))[0], Row)


def test_good_items_of_a_mixed_body_are_kept(item: Item) -> None:
    found = take([item(), {"kind": 5}, item("closed"), "text"])
    assert [type(one) for one in found] == [Row, Fault, Row, Fault]


def test_deep_results_and_bodies_are_refused(item: Item) -> None:
    deep: Any = 1
    for _ in range(12):
        deep = [deep]
    assert "deep" in fault(item() | {"kind": "test.loose", "result": {"x": deep}}).message.lower()
    with pytest.raises(Problem, match="deep"):
        parse(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[1,", b"\xff\xfe", b"[" + b"1," * 2000 + b"1]"])
def test_broken_bodies_are_refused_whole(body: bytes) -> None:
    with pytest.raises(Problem):
        parse(body)


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        parse(b" " * (1 << 20) + b"[]")
    assert caught.value.status == 413


def test_a_gateway_speaks_for_devices_in_its_place_only(item: Item) -> None:
    (row,) = take(item(device="door"), GATEWAY)
    assert isinstance(row, Row) and row.out.device == "door"
    assert fault(item(device="camera"), GATEWAY).field == "/device"


def test_ids_come_from_the_device_or_from_the_content(item: Item) -> None:
    given = uuid7()
    now = time.time()
    first, second, third, fourth = take(
        [item(at=now, id=str(given)), item(at=now), item(at=now), item("closed", at=now)]
    )
    assert isinstance(first, Row) and isinstance(second, Row) and isinstance(third, Row) and isinstance(fourth, Row)
    assert first.out.id == given
    assert second.out.id == third.out.id != fourth.out.id
    assert second.out.id.version == 7
    (spaced,) = take(
        b'{"result": { "state":"open" }, "kind":"door.state", "phenomenonTime":"%b"}'
        % item(at=now)["phenomenonTime"].encode()
    )
    assert isinstance(spaced, Row) and spaced.out.id == second.out.id


def test_control_characters_reach_the_log_unharmed(item: Item) -> None:
    (row,) = take(
        item() | {"kind": "test.loose", "result": {"text": 'tab\tback\\slash\n"'}, "featureOfInterest": "a\tb\\c"}
    )
    assert isinstance(row, Row)
    assert row.copy.count(b"\n") == 1
    assert row.copy.count(b"\t") == 7
