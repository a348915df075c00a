from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shoufu.engines.cap import (
    Alert,
    Area,
    CapError,
    Category,
    Certainty,
    Circle,
    Info,
    MessageType,
    Reference,
    Resource,
    Response,
    Scope,
    Severity,
    Status,
    Urgency,
    faults,
    from_xml,
    time_text,
    to_json,
    to_xml,
)

SHENYANG = timezone(timedelta(hours=8))
SENT = datetime(2026, 11, 24, 9, 2, 3, 456000, SHENYANG)
INFO = Info(
    categories=(Category.SECURITY,),
    event="门被强行打开",
    urgency=Urgency.IMMEDIATE,
    severity=Severity.SEVERE,
    certainty=Certainty.OBSERVED,
    language="zh-CN",
    responses=(Response.ASSESS,),
    event_codes=(("shoufu:kind", "door.forced"),),
    onset=SENT,
    sender_name="松山小区物业",
    headline="松山小区 5 号楼：门被强行打开",
    web="https://example.org/referrals/1",
    contact="保安室 <024-1234> & 夜班",
    parameters=(("duress", "true"), ("empty", "")),
    resources=(Resource("片段", "video/mp4", 1234, "https://example.org/m/1"),),
    areas=(
        Area(
            "松山小区 5 号楼 2 单元",
            polygons=(((41.8, 123.4), (41.8, 123.5), (41.9, 123.5), (41.8, 123.4)),),
            circles=(Circle(41.829, 123.412, 0.05),),
            geocodes=(("shoufu:place", "songshan-5-2"),),
        ),
    ),
)
ALERT = Alert(
    identifier="R-20261124-0001.1",
    sender="songshan@shoufu.example",
    sent=SENT,
    status=Status.ACTUAL,
    type=MessageType.ALERT,
    scope=Scope.RESTRICTED,
    restriction="仅限报警中心值班人员",
    incidents=("C-20261124-0007", "two words"),
    infos=(INFO,),
)


def whole_seconds(alert: Alert) -> Alert:
    return replace(
        alert,
        sent=alert.sent.replace(microsecond=0),
        infos=tuple(replace(info, onset=info.onset and info.onset.replace(microsecond=0)) for info in alert.infos),
    )


def test_what_is_written_is_read_back() -> None:
    assert not faults(ALERT)
    assert from_xml(to_xml(ALERT)) == whole_seconds(ALERT)


def test_times_have_an_offset_and_no_fractions() -> None:
    assert time_text(SENT) == "2026-11-24T09:02:03+08:00"
    assert time_text(SENT.astimezone(UTC)) == "2026-11-24T01:02:03-00:00"
    assert b"<sent>2026-11-24T09:02:03+08:00</sent>" in to_xml(ALERT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"restriction": ""}, "restriction:"),
        ({"identifier": "a b"}, "identifier:"),
        ({"identifier": "a,b"}, "identifier:"),
        ({"sender": ""}, "sender:"),
        ({"sent": SENT.replace(tzinfo=None)}, "sent:"),
        ({"type": MessageType.UPDATE}, "references:"),
        ({"references": (Reference("s", "i", SENT),)}, "references:"),
        ({"scope": Scope.PRIVATE, "restriction": ""}, "addresses:"),
        ({"status": Status.EXERCISE}, "note:"),
        ({"infos": ()}, "info:"),
        ({"infos": (replace(INFO, event=" "),)}, "info[0].event:"),
        ({"infos": (replace(INFO, categories=()),)}, "info[0].category:"),
        ({"infos": (replace(INFO, effective=SENT, expires=SENT),)}, "info[0].expires:"),
        ({"infos": (replace(INFO, web="nowhere"),)}, "info[0].web:"),
        ({"infos": (replace(INFO, areas=(Area("x", circles=(Circle(123.4, 41.8, 1),)),)),)}, "info[0].circle:"),
        ({"infos": (replace(INFO, areas=(Area("x", polygons=(((1, 1), (2, 2), (3, 3)),)),)),)}, "info[0].polygon:"),
    ],
)
def test_what_the_standard_forbids_is_named(change: dict[str, object], said: str) -> None:
    assert any(fault.startswith(said) for fault in faults(replace(ALERT, **change)))


def test_an_update_refers_to_what_it_updates() -> None:
    update = replace(ALERT, type=MessageType.UPDATE, references=(Reference(ALERT.sender, ALERT.identifier, SENT),))
    assert not faults(update)
    xml = to_xml(update).decode()
    assert "<references>songshan@shoufu.example,R-20261124-0001.1,2026-11-24T09:02:03+08:00</references>" in xml


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2026-11-24T09:02:03+08:00</sent>", "2026-11-24T01:02:03Z</sent>", "sent"),
        ("2026-11-24T09:02:03+08:00</sent>", "2026-11-24T09:02:03.5+08:00</sent>", "sent"),
        ("<status>Actual", "<status>actual", "status"),
        ("<msgType>Alert</msgType>", "", "msgType"),
        ("cap:1.2", "cap:1.1", "alert"),
        ("<scope>Restricted</scope>", "<nonsense/>", "nonsense"),
        ("0.05</circle>", "wide</circle>", "circle"),
    ],
)
def test_what_is_no_cap_is_refused_by_name(old: str, new: str, said: str) -> None:
    xml = to_xml(ALERT).decode()
    assert old in xml
    with pytest.raises(CapError, match=said):
        from_xml(xml.replace(old, new).encode())


def test_an_element_out_of_turn_is_refused() -> None:
    xml = to_xml(ALERT).decode()
    sender = "<sender>songshan@shoufu.example</sender>"
    with pytest.raises(CapError, match="out of turn"):
        from_xml(xml.replace(sender, "").replace("<status>", sender + "<status>").encode())


def test_a_document_type_and_its_entities_are_refused() -> None:
    space = "urn:oasis:names:tc:emergency:cap:1.2"
    bomb = f'<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a "aaaa">]><alert xmlns="{space}">&a;</alert>'
    with pytest.raises(CapError, match="document type"):
        from_xml(bomb.encode())
    with pytest.raises(CapError, match="no XML"):
        from_xml(b"hello")


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    alert = replace(ALERT, note="a\x00b\x0bc\ud800d\ufffe")
    assert from_xml(to_xml(alert)).note == "abcd"


def test_json_says_the_same() -> None:
    found = to_json(ALERT)
    assert (found["sent"], found["status"]) == ("2026-11-24T09:02:03+08:00", "Actual")
    assert found["infos"][0]["areas"][0]["circles"] == [{"latitude": 41.829, "longitude": 123.412, "radius": 0.05}]
    assert "note" not in found
