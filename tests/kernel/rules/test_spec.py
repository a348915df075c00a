"""Rule documents: what is refused, with field and fix, and how a rule reads."""

from typing import Any

import pytest

from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.rules.spec import Names, check, parse, sentence

HELD_OPEN: dict[str, Any] = {
    "kinds": ["door.state"],
    "where": "result.state == 'open'",
    "pattern": {"type": "dwell", "for": 60, "until": "result.state == 'closed'"},
    "schedule": {"from": "22:00", "to": "06:00", "days": [1, 2, 3, 4, 5]},
    "cooldown": 300,
    "severity": "high",
    "case": {"kind": "door.held_open"},
    "notify": ["guard"],
}


def faults(**changes: Any) -> dict[str, str]:
    found = check(
        parse(HELD_OPEN | changes),
        registry.kinds(),
        case_kinds=registry.case_kinds(),
        roles=registry.roles(),
        places={1, 2},
    )
    return {fault.field: str(fault.message) for fault in found}


def test_a_good_rule_has_no_faults_and_reads_back_the_same() -> None:
    assert faults() == {}
    assert parse(parse(HELD_OPEN).document()) == parse(HELD_OPEN)


@pytest.mark.parametrize("template", sorted(registry.rule_templates()))
def test_every_template_is_a_good_rule(template: str) -> None:
    spec = parse(registry.rule_templates()[template].spec)
    assert check(spec, registry.kinds(), case_kinds=registry.case_kinds(), roles=registry.roles()) == []


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"kinds": ["door.sate"]}, "/kinds/0"),
        ({"kinds": []}, "/kinds"),
        ({"kinds": ["door.state", "door.state"]}, "/kinds/1"),
        ({"where": "result.stat == 'open'"}, "/where"),
        ({"where": "result.state"}, "/where"),
        ({"where": "result.state == "}, "/where"),
        ({"pattern": {"type": "dwell", "for": 60, "until": "1 + 'a' == 2"}}, "/pattern/until"),
        ({"pattern": {"type": "dwell", "for": -1}}, "/pattern/for"),
        ({"pattern": {"type": "count", "n": 0, "window": 60}}, "/pattern/n"),
        ({"pattern": {"type": "count", "n": 2, "window": 1e9}}, "/pattern/window"),
        ({"pattern": {"type": "occupancy", "delta": "1.5", "limit": 3}}, "/pattern/delta"),
        ({"pattern": {"type": "occupancy", "delta": "1", "limit": -1}}, "/pattern/limit"),
        ({"pattern": {"type": "sequence", "steps": [], "window": 60}}, "/pattern/steps"),
        ({"schedule": {"from": "25:00", "to": "06:00"}}, "/schedule/from"),
        ({"schedule": {"from": "22:00", "to": "06:00", "days": [0]}}, "/schedule/days/0"),
        ({"case": {"kind": "door.ajar"}}, "/case/kind"),
        ({"notify": ["guardian"]}, "/notify/0"),
        ({"within": [3]}, "/within/0"),
        ({"cooldown": -5}, "/cooldown"),
    ],
)
def test_a_fault_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert list(faults(**changes)) == [field]


def test_a_fault_in_a_condition_knows_its_place() -> None:
    spec = parse(HELD_OPEN | {"where": "result.state == 'open' && result.stat == 'x'"})
    fault = check(spec, registry.kinds())[0]
    assert fault.position is not None and fault.position >= 26


@pytest.mark.parametrize(
    "document, field",
    [
        ({"kinds": ["a"], "pattern": {"type": "sequence", "steps": ["a", 3], "window": 3}}, "/pattern/steps/1"),
        ({"kinds": ["a"], "pattern": {"type": "often"}}, "/pattern/type"),
        ({"kinds": ["a"], "pattern": {"type": "match", "x": 1}}, "/pattern"),
        ({"kinds": ["a"]}, "/"),
    ],
)
def test_a_document_that_is_no_rule_is_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(document)
    assert refused.value.errors[0].field == field


def test_a_rule_reads_as_a_sentence_in_both_languages() -> None:
    spec = parse(HELD_OPEN)
    chinese = sentence(
        spec, "zh-hans", Names(kinds={"door.state": "门状态"}, roles={"guard": "保安"}, place="松山小区")
    )
    assert "在 松山小区" in str(chinese) and "状态为打开" in str(chinese) and "1 分钟" in str(chinese)
    english = str(sentence(spec, "en"))
    assert "state is open for more than 1 minute" in english and "at most once in 5 minutes" in english


def test_what_changed_can_be_marked() -> None:
    before = parse(HELD_OPEN)
    after = parse(HELD_OPEN | {"cooldown": 900, "pattern": HELD_OPEN["pattern"] | {"for": 300}})
    assert sentence(after).changed(before, after) == {"/cooldown", "/pattern/for"}
