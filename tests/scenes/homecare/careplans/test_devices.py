"""A cuff at home speaks to the log as every device does; what it says becomes readings of whom it is bound to."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices.services import DeviceDraft, register
from shoufu.kernel.observations import selectors as log
from shoufu.kernel.observations import services as observations
from shoufu.kernel.observations.directory import load
from shoufu.kernel.observations.intake import Row, admit
from shoufu.kernel.observations.wire import Fault, parse
from shoufu.kernel.observations.writer import Writer
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import Finding, Reading
from shoufu.scenes.homecare.careplans.services import devices, looks, plans, readings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cuff(care: Any) -> Any:
    observations.sync_kinds(SYSTEM)
    observations.make_partitions(SYSTEM)
    plans.make(care.act("song"), care.mei.pk, plans.PlanDraft("hypertension", "hypertension-clinical-2022"))
    draft = DeviceDraft("cuff-1", "sensor", "血压计", care.mei.place_id, name_en="Cuff")
    return register(SYSTEM, draft)


@pytest.fixture
def say(care: Any, cuff: Any) -> Callable[..., list[Any]]:
    """Sends observations with the cuff's own secret through intake and writer; what was refused comes back."""
    from django.db import connection

    settings = connection.settings_dict
    dsn = psycopg.conninfo.make_conninfo(
        dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"],
        host=settings["HOST"], port=settings["PORT"],
    )  # fmt: skip

    async def send(items: list[dict[str, Any]]) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(dsn) as found:
            directory = await load(found, shards=1)
        admitted = admit(parse(json.dumps(items).encode())[0], directory.devices["cuff-1"], directory)
        writer = Writer(dsn, unheard, asyncio.Lock(), "test")
        try:
            await writer.write([one for one in admitted if isinstance(one, Row)])
        finally:
            await writer.close()
        return [one for one in admitted if isinstance(one, Fault)]

    async def unheard(_batch: Any) -> None:
        """Nobody listens to the nerve here."""

    def said(*results: dict[str, Any], kind: str = "health.blood_pressure", ago: float = 0, id: str = "") -> list[Any]:
        at = datetime.fromtimestamp(time.time() - ago, UTC)
        items = [{"kind": kind, "phenomenonTime": at.isoformat(), "result": one} for one in results]
        if id:
            items = [one | {"id": id} for one in items]
        return asyncio.run(send(items))

    devices.read()
    return said


def test_what_a_bound_cuff_says_is_kept_once_and_judged(care: Any, cuff: Any, say: Any) -> None:
    assert not say({"systolic": 120, "diastolic": 80})
    assert devices.read() == 0, "it measures nobody yet"
    devices.bind(care.act("song"), care.mei.pk, "cuff-1")
    id = str(uuid7())
    for _time in range(2):
        assert not say({"systolic": 186, "diastolic": 96, "pulse": 88}, id=id)
    assert devices.read() == 1 and devices.read() == 0
    row = Reading.objects.get()
    assert (str(row.pk), row.source, row.device_id) == (id, "device", cuff.device.pk)
    (clear,) = looks.readings(care.act("mei"), care.mei.pk, mine=True)
    assert dict(clear.values) == {"systolic": 186, "diastolic": 96, "pulse": 88}
    assert Finding.objects.get().rule == "bp_danger"
    assert not log.visible(care.act("manager")).filter(kind__code="health.blood_pressure").exists()


def test_a_slip_is_refused_at_the_edge_and_mixed_up_values_are_no_reading(care: Any, cuff: Any, say: Any) -> None:
    devices.bind(care.act("song"), care.mei.pk, "cuff-1")
    (fault,) = say({"systolic": 1860, "diastolic": 96})
    assert "systolic" in fault.field
    assert not say({"systolic": 80, "diastolic": 120})
    assert not say({"glucose": 6.1}, kind="health.glucose")
    assert devices.read() == 1
    assert [(one.kind, one.context) for one in selectors.readings(SYSTEM)] == [("glucose", "random")]


def test_a_reading_that_breaks_keeps_no_later_one_waiting(
    care: Any, cuff: Any, say: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    devices.bind(care.act("song"), care.mei.pk, "cuff-1")
    keep = readings.keep

    def broken(actor: Any, patient: Any, draft: Any, *more: Any) -> Any:
        if draft.values.get("systolic") == 130:
            raise RuntimeError("kaputt")
        return keep(actor, patient, draft, *more)

    monkeypatch.setattr(readings, "keep", broken)
    for systolic in (130, 131):
        assert not say({"systolic": systolic, "diastolic": 80})
    assert devices.read() == 1
    assert [one.levelname for one in caplog.records if "was not taken" in one.message] == ["ERROR"]


def test_a_device_measures_one_patient_from_when_until_when(care: Any, cuff: Any, say: Any) -> None:
    song = care.act("song")
    with pytest.raises(Invalid, match="device"):
        devices.bind(song, care.mei.pk, "cuff-2")
    binding = devices.bind(song, care.mei.pk, "cuff-1")
    with pytest.raises(Conflict):
        devices.bind(song, care.mei.pk, "cuff-1")
    with pytest.raises(NotFound):
        devices.release(care.act("other"), binding.pk)
    assert not say({"systolic": 121, "diastolic": 80}, ago=3600)
    assert devices.read() == 0, "measured before it was bound: somebody else's"
    devices.release(song, binding.pk)
    assert binding.since < timezone.now() + timedelta(seconds=1)
    assert not say({"systolic": 122, "diastolic": 80})
    assert devices.read() == 0 and not Reading.objects.exists()
