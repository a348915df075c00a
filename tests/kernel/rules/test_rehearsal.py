"""A draft tried on history: equal to live on the same log, from the archive and from the open day, with reasons."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shoufu.kernel.base.actor import SYSTEM

_spec = importlib.util.spec_from_file_location("rules_live", Path(__file__).with_name("test_live.py"))
assert _spec is not None and _spec.loader is not None
live = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(live)


def at_night(story: Any) -> datetime:
    """Move the story to yesterday, so that its day is closed."""
    story.start = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    return story.start


def tell(story: Any) -> int:
    """East: open for 90 s; later for 220 s. West: open for 400 s. Then something much later."""
    story.log((0, "east", "door.state", {"state": "open"}), (10, "west", "door.state", {"state": "open"}))
    story.log((90, "east", "door.state", {"state": "closed"}))
    story.log((410, "west", "door.state", {"state": "closed"}), (1000, "east", "door.state", {"state": "open"}))
    story.log((1220, "east", "door.state", {"state": "closed", "bolt": "locked"}))
    return int(story.log((2000, "west", "door.state", {"state": "closed"})))


def rehearsed(version: Any, document: dict[str, Any], since: datetime, until: datetime) -> dict[str, Any]:
    from shoufu.kernel.rules import selectors
    from shoufu.kernel.rules.rehearsal.report import Request, report
    from shoufu.kernel.rules.spec import parse

    rule = selectors.get(SYSTEM, version.rule_id)
    return report(Request(rule, parse(document), since, until))


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("engine", ["rows", "columns"])
def test_the_live_document_rehearsed_gives_what_live_gave(
    story: Any, archived: bool, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoufu.kernel.rules.models import Firing, HistoryDay
    from shoufu.kernel.rules.rehearsal import archive
    from shoufu.kernel.rules.rehearsal.run import run

    if engine == "columns":
        monkeypatch.setattr(run, "__defaults__", (None, 0))
    start = at_night(story)
    version = live.make_live(story, live.HELD_OPEN | {"cooldown": 0}, "门长时间未关")
    last = tell(story)
    live.evaluate(live.done(last))
    if archived:
        assert archive.archive_due(0, datetime.now(UTC))
        assert HistoryDay.objects.get().rows == 7
    result = rehearsed(version, version.spec, start - timedelta(hours=1), start + timedelta(hours=1))
    assert result["engine"] == engine
    fired = [(one.t.isoformat(), one.key, one.observations) for one in Firing.objects.order_by("t")]
    assert len(fired) == 3
    assert [(one["t"], one["key"], one["observations"]) for one in result["draft"]] == fired
    assert result["differences"] == [] and result["both"] == 3


def test_a_stricter_draft_says_why_it_keeps_silent(story: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.models import RuleVersion

    start = at_night(story)
    version = live.make_live(story, live.HELD_OPEN | {"cooldown": 0}, "门长时间未关")
    RuleVersion.objects.update(live_from=start - timedelta(days=2))
    last = tell(story)
    live.evaluate(live.done(last))
    Case.objects.filter(opened_at=start + timedelta(seconds=60)).update(state="false_alarm")
    draft = live.HELD_OPEN | {"cooldown": 0, "pattern": live.HELD_OPEN["pattern"] | {"for": 300}}
    result = rehearsed(version, draft, start - timedelta(hours=1), start + timedelta(hours=1))
    assert result["baseline"] == "recorded"
    assert result["draft_figures"]["raised"] == 1 and result["live_figures"]["raised"] == 3
    assert result["live_figures"]["false_alarms"] == 1 and result["draft_figures"]["false_alarms"] == 0
    why = {one["t"]: one["why"] for one in result["differences"]}
    assert why[(start + timedelta(seconds=60)).isoformat()] == [{"reason": "held", "seconds": 90.0, "needed": 300.0}]
    assert why[(start + timedelta(seconds=1060)).isoformat()] == [{"reason": "held", "seconds": 220.0, "needed": 300.0}]
    assert why[(start + timedelta(seconds=70)).isoformat()] == [{"reason": "later", "seconds": 240.0}]


def test_a_condition_that_fails_is_named(story: Any) -> None:
    start = at_night(story)
    version = live.make_live(story, live.HELD_OPEN | {"cooldown": 0}, "门长时间未关")
    tell(story)
    draft = live.HELD_OPEN | {"cooldown": 0, "where": "result.state == 'open' && has(result.bolt)"}
    result = rehearsed(version, draft, start, start + timedelta(hours=1))
    assert result["baseline"] == "rehearsed" and result["draft_figures"]["raised"] == 0
    reasons = [one["why"][0] for one in result["differences"]]
    assert {one["reason"] for one in reasons} == {"condition"}
    assert reasons[0]["atoms"][0]["text"] == "has(result.bolt)"


def test_a_queued_rehearsal_ends_with_a_result(story: Any) -> None:
    from shoufu.kernel.rules import services
    from shoufu.kernel.rules.models import Rehearsal
    from shoufu.kernel.rules.rehearsal import jobs

    start = at_night(story)
    version = live.make_live(story, live.HELD_OPEN, "门长时间未关")
    tell(story)
    rehearsal = services.rehearse(SYSTEM, version.pk, start, start + timedelta(hours=1))
    jobs.run(rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.state == Rehearsal.State.DONE, rehearsal.error
    assert rehearsal.progress == 1.0 and rehearsal.result["rows"] == 7


def test_rows_fall_back_where_columns_cannot(story: Any) -> None:
    """`recent` needs the rows of other kinds in their order: the live machine does it, with the same outcome."""
    from shoufu.kernel.rules.models import Firing

    start = at_night(story)
    document = {
        "kinds": ["door.state"],
        "where": "result.state == 'open' && !recent('door.access', 20)",
        "pattern": {"type": "match"},
    }
    version = live.make_live(story, document, "无授权开门")
    story.log((0, "east", "door.access", {"granted": True}), (5, "east", "door.state", {"state": "open"}))
    story.log((60, "east", "door.state", {"state": "open"}), (61, "west", "door.state", {"state": "open"}))
    last = story.log((100, "west", "door.state", {"state": "closed"}))
    live.evaluate(live.done(last))
    result = rehearsed(version, document, start, start + timedelta(hours=1))
    assert result["engine"] == "rows"
    assert [one["t"] for one in result["draft"]] == [one.t.isoformat() for one in Firing.objects.order_by("t")]
    assert len(result["draft"]) == 2
