"""The evaluator on a real log: what it raises, what a restart changes (nothing), and what a replay gives (the same)."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from shoufu.kernel.base.actor import SYSTEM

HELD_OPEN = {
    "kinds": ["door.state"],
    "where": "result.state == 'open'",
    "pattern": {"type": "dwell", "for": 60, "until": "result.state == 'closed'"},
    "cooldown": 300,
    "severity": "medium",
    "case": {"kind": "door.held_open"},
    "notify": ["guard"],
}
FORCED = {
    "kinds": ["door.alarm"],
    "where": "result.alarm == 'forced'",
    "pattern": {"type": "match"},
    "severity": "critical",
    "case": {"kind": "door.forced"},
}


def make_live(story: Any, document: dict[str, Any], name: str) -> Any:
    from shoufu.kernel.rules import services
    from shoufu.kernel.rules.services import RuleDraft

    rule = services.create_rule(SYSTEM, RuleDraft(place=story.places["d"].pk, name=name, spec=document))
    return services.activate(SYSTEM, rule.versions.get().pk)


class Deaf:
    """An inbox to which nothing comes: all is read from the database."""

    def after(self, number: int, most: int) -> list[Any]:
        return []

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


def evaluate(until: Callable[[], bool], shard: int = 0) -> None:
    """Run the evaluator until something is so; then stop it in an orderly way."""
    from shoufu.runtime.evaluator.process import Session

    stop = threading.Event()
    session = Session(shard, Deaf())  # type: ignore[arg-type]
    deadline = time.monotonic() + 20
    report = session._report

    def look() -> None:
        report()
        if until() or time.monotonic() > deadline:
            stop.set()

    session._report = look  # type: ignore[method-assign]
    session.run(stop)
    assert until(), "the evaluator did not come that far in 20 s"


def done(number: int, shard: int = 0) -> Callable[[], bool]:
    from shoufu.kernel.rules import outputs

    return lambda: outputs.last_batch(shard) >= number


def test_a_door_held_open_becomes_a_case_and_a_replay_agrees(story: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.models import Firing
    from shoufu.kernel.rules.replay import replay

    make_live(story, HELD_OPEN, "门长时间未关")
    make_live(story, FORCED, "门被强行打开")
    story.log((0, "east", "door.state", {"state": "open"}), (1, "west", "door.state", {"state": "open"}))
    story.log((30, "west", "door.state", {"state": "closed"}))
    story.log((100, "west", "door.alarm", {"alarm": "forced"}))
    last = story.log((200, "east", "door.state", {"state": "closed"}))
    evaluate(done(last))
    held, forced = Firing.objects.order_by("t")
    assert (held.t - story.start).total_seconds() == 60
    assert held.device == story.devices["east"]
    assert held.observations == [story.ids[0]]
    assert held.why[0]["text"] == "result.state == 'open'"
    assert held.why[1] == {"pattern": "dwell", "seconds": 60.0, "needed": 60.0}
    assert {case.kind for case in Case.objects.all()} == {"door.held_open", "door.forced"}
    assert forced.place == story.places["west"]
    found = replay()
    assert found.equal, found
    assert found.firings == 2 and found.cases == 2


def test_a_restart_in_between_loses_no_pending_deadline(story: Any) -> None:
    from shoufu.kernel.rules.models import Firing
    from shoufu.kernel.rules.replay import replay

    make_live(story, HELD_OPEN, "门长时间未关")
    first = story.log((0, "east", "door.state", {"state": "open"}))
    evaluate(done(first))
    assert not Firing.objects.exists() or Firing.objects.get().t
    second = story.log((70, "west", "door.state", {"state": "open"}))
    evaluate(done(second))
    evaluate(lambda: Firing.objects.count() == 2)
    assert [round((one.t - story.start).total_seconds()) for one in Firing.objects.order_by("t")] == [60, 130]
    assert replay().equal


def test_the_watermark_moves_without_any_further_row(story: Any) -> None:
    """Nothing else comes after the alarm: the evaluator logs a tick by itself."""
    from shoufu.kernel.rules.models import Firing

    make_live(story, FORCED, "门被强行打开")
    story.start = story.start.now(story.start.tzinfo)
    story.log((0, "east", "door.alarm", {"alarm": "forced"}))
    evaluate(Firing.objects.exists)


def test_a_late_row_is_kept_and_counted_and_only_a_match_sees_it(story: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.models import Firing, LateObservation
    from shoufu.kernel.rules.replay import replay

    make_live(story, HELD_OPEN, "门长时间未关")
    make_live(story, FORCED, "门被强行打开")
    story.log((1000, "west", "door.state", {"state": "closed"}))
    last = story.log(
        (10, "east", "door.state", {"state": "open"}),
        (20, "east", "door.alarm", {"alarm": "forced"}),
        (1100, "west", "door.state", {"state": "closed"}),
    )
    evaluate(done(last))
    assert LateObservation.objects.count() == 2
    assert Firing.objects.get().late
    assert Case.objects.get().kind == "door.forced"
    assert replay().equal


def test_a_rule_change_counts_from_its_batch_on(story: Any) -> None:
    from shoufu.kernel.rules import services
    from shoufu.kernel.rules.models import Firing
    from shoufu.kernel.rules.replay import replay

    before = story.log((0, "east", "door.alarm", {"alarm": "forced"}))
    story.log((100, "east", "door.state", {"state": "open"}))
    version = make_live(story, FORCED, "门被强行打开")
    story.log((200, "east", "door.alarm", {"alarm": "forced"}))
    services.retire(SYSTEM, version.rule_id)
    last = story.log((300, "east", "door.alarm", {"alarm": "forced"}))
    last = story.log((400, "east", "door.state", {"state": "open"}))
    evaluate(done(last))
    version.refresh_from_db()
    assert before < version.from_batch < version.until_batch
    # A row counts under the rules in force when the watermark passes it: the batch after its own, here.
    assert Firing.objects.count() == replay().firings
    assert replay().equal


@pytest.mark.parametrize("field, value", [("t", 1), ("place", 0)])
def test_replay_finds_a_changed_firing(story: Any, field: str, value: int) -> None:
    from datetime import timedelta

    from shoufu.kernel.rules.models import Firing
    from shoufu.kernel.rules.replay import replay

    make_live(story, FORCED, "门被强行打开")
    story.log((0, "east", "door.alarm", {"alarm": "forced"}))
    last = story.log((100, "east", "door.state", {"state": "open"}))
    evaluate(done(last))
    one = Firing.objects.get()
    if field == "t":
        one.t += timedelta(seconds=value)
    else:
        one.place = story.places["d"]
    one.save()
    assert not replay().equal


def test_a_shard_has_one_evaluator(story: Any) -> None:
    from shoufu.runtime.evaluator.process import Session, Taken

    first = Session(0, Deaf())  # type: ignore[arg-type]
    with pytest.raises(Taken):
        Session(0, Deaf())  # type: ignore[arg-type]
    first.reading.close()
    # The server notices the end of a connection a moment later.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            Session(0, Deaf()).reading.close()  # type: ignore[arg-type]
            return
        except Taken:
            time.sleep(0.05)
    pytest.fail("the shard was not given free")


def test_late_rows_meet_the_cool_down(story: Any) -> None:
    """A camera that lags behind the doors must not make a case of every row; a restart in between changes nothing."""
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.models import Firing
    from shoufu.kernel.rules.replay import replay

    make_live(story, FORCED | {"cooldown": 60}, "门被强行打开")
    story.log((1000, "west", "door.state", {"state": "closed"}))
    first = story.log(*((10 + seconds, "east", "door.alarm", {"alarm": "forced"}) for seconds in range(0, 30, 5)))
    evaluate(done(first))
    second = story.log(*((10 + seconds, "east", "door.alarm", {"alarm": "forced"}) for seconds in range(30, 90, 5)))
    evaluate(done(second))
    assert Firing.objects.filter(late=True).count() == 18
    assert Firing.objects.filter(suppressed=False).count() == Case.objects.count() == 2
    assert replay().equal


def test_two_shards_raise_what_one_does(story: Any, settings: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.models import Firing

    make_live(story, HELD_OPEN, "门长时间未关")
    make_live(story, FORCED, "门被强行打开")
    settings.SHARDS = 2
    story.shards = {"west": 1}
    # Every batch has rows of both: one without rows for a shard is a tick there, and this story lies in the past.
    for begin in range(0, 600, 100):
        story.log(
            (begin, "east", "door.state", {"state": "open"}), (begin + 1, "west", "door.alarm", {"alarm": "forced"})
        )
        last = story.log(
            (begin + 70, "east", "door.state", {"state": "closed"}),
            (begin + 75, "west", "door.state", {"state": "open"}),
        )
    for shard in (0, 1):
        evaluate(done(last, shard), shard)
    both = sorted(Firing.objects.values_list("version", "key", "t", "suppressed"))
    assert {key for _, key, _, _ in both} == {f"device:{story.devices[code].pk}" for code in ("east", "west")}
    assert Case.objects.filter(firing__isnull=False).count() == sum(not suppressed for *_, suppressed in both)
    _start_over()
    settings.SHARDS = 1
    evaluate(done(last))
    assert sorted(Firing.objects.values_list("version", "key", "t", "suppressed")) == both


def _start_over() -> None:
    """As if the log had been written by an installation with one evaluator."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE obs SET shard = 0")
        cursor.execute("TRUNCATE rules_firing, rules_checkpoint CASCADE")
