from datetime import date
from uuid import uuid4

import pytest

from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.models import Vehicle
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.passages import vehicle_passages


@pytest.fixture
def gate(db: None) -> Place:
    compound = Place.objects.create(kind="compound", code="c", name="小区", path="/1/", depth=0)
    gate = Place.objects.create(kind="gate", code="g", name="南门", path="/1/2/", depth=1, parent=compound)
    Vehicle.objects.create(plate="辽A12345", place=compound, since=date(2024, 1, 1))
    return gate


def read(gate: Place, plate: str) -> BatchRow:
    return BatchRow(
        id=uuid4(),
        t=1_763_900_000.0,
        kind="plate.read",
        device="cam",
        device_id=1,
        place_id=gate.pk,
        shard=0,
        foi=None,
        result={"plate": plate, "score": 0.97, "direction": "in"},
    )


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        ("辽A12345", {"class": "registered"}),
        ("辽A1234S", {"class": "similar", "like": "辽A12345"}),
        ("吉B99999", {"class": "unknown"}),
    ],
)
def test_a_plate_is_held_against_the_register(gate: Place, plate: str, expected: dict[str, str]):
    row = read(gate, plate)
    (derived,) = vehicle_passages([row])
    assert derived.result == {"plate": plate, "direction": "in"} | expected
    assert derived.source == row.id


def test_a_car_that_left_the_register_is_unknown(gate: Place):
    Vehicle.objects.update(until=date(2025, 1, 1))
    (derived,) = vehicle_passages([read(gate, "辽A12345")])
    assert derived.result["class"] == "unknown"
