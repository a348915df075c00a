from datetime import UTC, datetime
from pathlib import Path

import pytest

from shoufu.engines.welfare import trial
from shoufu.runtime.bench import homes, record


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


FIRST = _at("2011-11-28 02:27:59")


@pytest.mark.parametrize(
    "text",
    [
        # CASAS: whitespace, an activity behind some rows
        "2011-11-28 02:27:59.000 M003 ON Sleeping begin\n2011-11-28 02:28:03 M003 OFF\n2011-11-28 03:00:00 T002 21.5\n",
        "2011-11-28 02:27:59\tM003\tON\n2011-11-28 02:28:03\tM003\tOFF\tSleep=begin\n",
        # with rooms and makes beside, as the later ones have
        "2011-11-28 02:27:59,M003,Bedroom,Bed,ON,Motion\n2011-11-28 02:28:03,D001,Hall,FrontDoor,OPEN,Door\n",
        # a heading in any order, any separator
        "sensor;value;timestamp\nM003;1;2011-11-28T02:27:59Z\nM003;0;2011-11-28T02:28:03Z\n",
        "id,date,time,device,state,activity\n1,2011-11-28,02:27:59,M003,on,Sleep\n2,2011-11-28,02:28:03,M003,off,\n",
        "时间,传感器,状态\n2011年11月28日 02:27:59,卧室,有人\n2011年11月28日 2:28:03,卧室,无人\n",
        "2011/11/28 2:27:59,bedroom,true\n2011/11/28 2:28:03,bedroom,false\n",
        "1322447279,M003,ON\n1322447283,M003,OFF\n",
        "1322447279000,M003,ON\n1322447283000,M003,OFF\n",
        "20111128022759,M003,ON\n20111128022803,M003,OFF\n",
        "28/11/2011 02:27:59,M003,ON\n28/11/2011 02:28:03,M003,OFF\n",
        "11/28/2011 2:27:59 AM,M003,ON\n11/28/2011 2:28:03 AM,M003,OFF\n",
        # rows out of order
        "2011-11-28 02:28:03,M003,OFF\n2011-11-28 02:27:59,M003,ON\n",
        # Kasteren: spans, numbers for sensors
        "Start time\tEnd time\tID\tVal\n28-Nov-2011 02:27:59\t28-Nov-2011 02:28:03\t24\t1\n",
        # UCI ADL: spans with tabs as they came, a ruled line
        "Start time          \tEnd time            \tLocation\tType\t\tPlace\n"
        "--------------------\t--------------------\t--------\t--------\t-----\n"
        "2011-11-28 02:27:59\t2011-11-28 02:28:03\t\tBed\t\tPressure\tBedroom\n",
    ],
)
def test_forms_of_public_collections(text: str) -> None:
    found = record.parse(text)
    life = [event.t for event in found.events if event.life]
    assert life[:2] == [FIRST, FIRST + 4]
    assert not found.skipped


def test_days_before_months_are_told_by_the_order_of_the_rows() -> None:
    rows = "".join(f"0{day}/0{month}/2012 08:00:00,M1,ON\n" for month in (2, 3) for day in range(1, 10))
    assert record.parse(rows).events[-1].t == _at("2012-03-09 08:00:00")


@pytest.mark.parametrize(
    ("names", "doors"),
    [
        (["Entrance Maindoor Magnetic", "Living Door PIR", "Kitchen Door PIR"], ["Entrance Maindoor Magnetic"]),
        (["FrontDoor", "FridgeDoor", "M1"], ["FrontDoor"]),
        (["D001", "M001", "T001"], ["D001"]),
        (["Leave_Home", "Enter_Home", "Sleeping"], ["Enter_Home", "Leave_Home"]),
        (["入户门", "冰箱门"], ["入户门"]),
        (["M001", "M002"], []),
    ],
)
def test_own_doors_by_name(names: list[str], doors: list[str]) -> None:
    rows = "".join(f"2012-01-0{n + 1} 08:00:00,{name},ON\n" for n, name in enumerate(names))
    assert record.parse(rows).doors == doors


def test_a_door_without_a_name_shows_by_its_use() -> None:
    home = homes.HOMES[2]
    text = homes.text(home, 1).replace("FrontDoor", "7")
    assert record.parse(text).doors == ["7"]


def test_what_measures_or_is_unavailable_is_no_sign_of_life() -> None:
    rows = [f"2012-01-01 {hour:02d}:00:00,climate,{20 + hour / 10}" for hour in range(24)]
    rows += ["2012-01-01 09:30:00,hall,255", "2012-01-01 09:31:00,hall,0", "2012-01-01 10:00:00,hall,unavailable"]
    events = record.parse("\n".join(rows)).events
    assert [event.t % 86400 / 3600 for event in events if event.life] == [9.5, 9.5 + 1 / 60]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"time,sensor,state\n", "heading and no rows"),
        (b"a,b,c\nd,e,f\n", "no column holds times"),
        (b"2012-01-01 08:00:00\n2012-01-01 09:00:00\n", "no column names a sensor"),
        (b"PK\x03\x04...", "save the sheet as CSV"),
        (b"\x00\x01\x02", "no text"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "record.csv").write_bytes(data)
    with pytest.raises(record.RecordError, match=says):
        record.read(tmp_path / "record.csv")


def test_a_broken_line_is_left_out_and_named() -> None:
    found = record.parse("time,sensor,state\n2012-01-01 08:00:00,M1,ON\nnonsense,M1,ON\n2012-01-01 09:00:00,M1,OFF\n")
    assert len(found.events) == 2
    assert found.skipped == ["line 3: 'nonsense' is no time"]


def test_a_made_up_life_is_the_same_each_time_and_its_outages_raise_nothing() -> None:
    home = homes.Home("short", days=20, beats=True)
    assert homes.text(home, 1) == homes.text(home, 1) != homes.text(home, 2)
    life = record.parse(homes.text(home, 1))
    assert life.silent_after is not None
    result = trial(life.events, silent_after=life.silent_after)
    assert result.outages > 50
    assert result.outage_alarms == 0
