"""The evaluator is deterministic: arrival, batches and restarts change nothing, and columns agree with rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shoufu.kernel.rules.evaluation import Batch, Engine, Firing, Places, Row, RuleSource, checkpoint, compile_rule
from shoufu.kernel.rules.rehearsal.frames import Frame, Part, build_table
from shoufu.kernel.rules.rehearsal.run import run
from shoufu.kernel.rules.spec import parse

START = 1_795_400_000.0
LATENESS = 2.0
END = START + 400.0


@dataclass(frozen=True)
class Kind:
    schema: dict[str, Any]


KINDS = {
    "door": Kind(
        {
            "type": "object",
            "properties": {"state": {"type": "string"}, "level": {"type": "integer"}, "ok": {"type": "boolean"}},
            "required": ["state", "level"],
            "additionalProperties": False,
        }
    ),
    "sensor": Kind(
        {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "state": {"type": "string"},
                "box": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["value"],
            "additionalProperties": False,
        }
    ),
}
PLACES = Places({1: "/1/", 2: "/1/2/", 3: "/1/3/", 9: "/9/"}, dict.fromkeys((1, 2, 3, 9), "Asia/Shanghai"))
OPEN, SHUT = "result.state == 'open'", "result.state == 'shut'"
# Local time at START is 10:13:20: the schedules open and close within the log.
MORNING = {"from": "10:14", "to": "10:16"}
DOCUMENTS: list[dict[str, Any]] = [
    {"kinds": ["door"], "where": OPEN, "pattern": {"type": "match"}, "cooldown": 20},
    {"kinds": ["door"], "where": "result.level > 3", "pattern": {"type": "match"}, "schedule": MORNING, "within": [2]},
    {"kinds": ["door"], "where": OPEN, "pattern": {"type": "threshold", "for": 0}, "cooldown": 5},
    {"kinds": ["door"], "where": OPEN, "pattern": {"type": "threshold", "for": 30, "clear": "result.level == 0"}},
    {"kinds": ["door"], "where": OPEN, "pattern": {"type": "dwell", "for": 15, "until": SHUT}, "schedule": MORNING},
    {
        "kinds": ["door", "sensor"],
        "where": OPEN,
        "pattern": {"type": "dwell", "for": 10, "until": SHUT},
        "key": "place",
    },
    {"kinds": ["door"], "where": OPEN, "pattern": {"type": "count", "n": 3, "window": 25}, "key": "device+feature"},
    {"kinds": ["door"], "where": "true", "pattern": {"type": "count", "n": 2, "window": 9}, "schedule": MORNING},
    {"kinds": ["door"], "pattern": {"type": "absence", "after": 40}, "cooldown": 100},
    {"kinds": ["sensor"], "where": "result.value > 5.0", "pattern": {"type": "absence", "after": 25}, "key": "feature"},
    {"kinds": ["door"], "pattern": {"type": "absence", "after": 5}, "schedule": MORNING},
    {
        "kinds": ["door", "sensor"],
        "key": "place",
        "pattern": {"type": "sequence", "steps": [OPEN, "kind == 'sensor'", SHUT], "window": 60},
    },
    {
        "kinds": ["door"],
        "pattern": {"type": "sequence", "steps": [OPEN], "window": 30, "unless": "has(result.ok) && result.ok"},
        "cooldown": 3,
    },
    {
        "kinds": ["door"],
        "where": OPEN,
        "pattern": {"type": "occupancy", "delta": "result.level - 2", "limit": 4},
        "schedule": MORNING,
    },
    {"kinds": ["door"], "pattern": {"type": "occupancy", "delta": "result.level - 2", "limit": 2}, "key": "place"},
    {"kinds": ["door"], "where": "local.minute == 14 && result.level != 1", "pattern": {"type": "match"}},
    {"kinds": ["door"], "where": f"{OPEN} && !recent('sensor', 10)", "pattern": {"type": "match"}},
    {"kinds": ["sensor"], "where": "size(result.box) > 1", "pattern": {"type": "match"}},
]
SOURCES = [RuleSource(number, 1, parse(document)) for number, document in enumerate(DOCUMENTS, 1)]


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """Rows in no order; times on a grid of half seconds, so that many are equal."""
    count = draw(st.integers(1, 45))
    rows = []
    for number in range(count):
        kind = draw(st.sampled_from(["door", "door", "sensor"]))
        device = draw(st.integers(1, 3))
        result: dict[str, Any]
        if kind == "door":
            result = {"state": draw(st.sampled_from(["open", "shut"])), "level": draw(st.integers(0, 6))}
            if draw(st.booleans()):
                result["ok"] = draw(st.booleans())
        else:
            result = {"value": draw(st.sampled_from([1.0, 5.0, 9.5]))}
            if draw(st.booleans()):
                result["state"] = draw(st.sampled_from(["open", "shut"]))
            if draw(st.booleans()):
                result["box"] = [1.0] * draw(st.integers(0, 3))
        rows.append(
            Row(
                id=f"0000{number:04x}-0000-7000-8000-000000000000",
                t=START + draw(st.integers(0, 400)) / 2,
                kind=kind,
                device=f"d{device}",
                device_id=device,
                place_id=draw(st.sampled_from([2, 3, 9])) if device == 3 else device + 1,
                shard=0,
                foi=draw(st.sampled_from([None, "a", "b"])),
                result=result,
            )
        )
    return rows


def engine() -> Engine:
    made = Engine(KINDS, PLACES, LATENESS)
    made.set_rules(SOURCES)
    assert not made.broken
    return made


def batched(rows: Sequence[Row], sizes: Sequence[int]) -> list[Batch]:
    """The rows in this order, cut into batches, and two ticks that end it."""
    batches, at, number = [], 0, 0
    while at < len(rows):
        size = sizes[number % len(sizes)]
        number += 1
        batches.append(Batch(number, END, list(rows[at : at + size])))
        at += size
    return [*batches, Batch(number + 1, END + 100, []), Batch(number + 2, END + 1_000, [])]


def evaluate(batches: Sequence[Batch]) -> list[Firing]:
    made = engine()
    return clean(made.process((batch, batch.rows) for batch in batches).firings)


def clean(firings: Sequence[Firing]) -> list[Firing]:
    for firing in firings:
        firing.batch = 0
    return sorted(firings, key=lambda firing: firing.order)


def in_order(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.t, row.id))


@settings(max_examples=30, deadline=None)
@given(logs(), st.lists(st.integers(1, 7), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_arrival_within_lateness_and_batches_change_nothing(rows: list[Row], sizes: list[int], random: Any) -> None:
    shuffled = sorted(rows, key=lambda row: row.t + random.uniform(0, LATENESS - 0.2))
    assert evaluate(batched(shuffled, sizes)) == evaluate(batched(in_order(rows), [1]))


@settings(max_examples=20, deadline=None)
@given(logs(), st.integers(1, 4), st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_restarts_change_nothing(rows: list[Row], size: int, saves: set[int], restarts: set[int]) -> None:
    """A restart loses all that came after the last checkpoint, and does it again: equal firings, some of them twice."""
    batches = batched(in_order(rows), [size])
    expected = evaluate(batches)
    made, blobs, seen = engine(), [], {}
    pending = sorted(restarts)
    number = 0
    while number < len(batches):
        if pending and number >= pending[0]:
            pending.pop(0)
            made = restored(blobs, batches)
            number = made.batch
            continue
        batch = batches[number]
        for firing in made.process([(batch, batch.rows)]).firings:
            seen[firing.order] = firing
        number += 1
        if number in saves:
            full = not blobs or number % 3 == 0
            if full:
                made.sweep()
                blobs = []
            blobs.append(checkpoint.encode(made, full=full))
    assert clean(list(seen.values())) == expected


def restored(blobs: list[bytes], batches: Sequence[Batch]) -> Engine:
    made = engine()
    first = checkpoint.restore(made, blobs)
    for batch in batches:
        if blobs and first <= batch.number <= made.batch:
            made.refill(batch, batch.rows)
    return made


@settings(max_examples=20, deadline=None)
@given(logs(), st.integers(0, 400))
def test_columns_agree_with_rows(rows: list[Row], cut: int) -> None:
    """The same log as two frames, cut anywhere between two times."""
    expected = evaluate(batched(in_order(rows), [5]))
    ordered = sorted((round(row.t * 1e6), row.device_id, row.kind, row.id, row) for row in rows)
    middle = round((START + cut / 2) * 1e6)
    halves = [[one for one in ordered if one[0] < middle], [one for one in ordered if one[0] >= middle]]
    found: list[Firing] = []
    engines = set()
    for source in SOURCES:
        rule = compile_rule(source, KINDS, PLACES, {})
        codes = sorted(KINDS) if rule.uses_recent else sorted(source.spec.kinds)

        def load(half: list[Any], codes: list[str] = codes) -> Frame:
            return Frame([part for code in codes if (part := a_part(half, code)) is not None])

        frames = [lambda half=half, load=load: load(half) for half in halves]
        done = run([rule], frames, round((START - 3_600) * 1e6), round((END + 990) * 1e6), small=0)[0]
        engines.add(done.engine)
        found += done.firings()
    assert clean(found) == [firing for firing in expected if firing.t < round((END + 990) * 1e6)]
    if all({one[2] for one in half} == set(KINDS) for half in halves):
        assert engines == {"columns", "rows"}


def a_part(half: list[Any], code: str) -> Part | None:
    rows = [(one[0], one[4], False) for one in half if one[2] == code]
    return Part.of_table(code, KINDS[code].schema, build_table(rows, KINDS[code])) if rows else None


def test_a_dwell_outside_its_hours_fires_when_they_begin() -> None:
    """Opened before 22:00 and never shut: at 22:00 it is still open, and has been for longer than asked."""
    document = {
        "kinds": ["door"],
        "where": OPEN,
        "pattern": {"type": "dwell", "for": 60, "until": SHUT},
        "schedule": {"from": "22:00", "to": "06:00"},
    }
    made = Engine(KINDS, PLACES, LATENESS)
    made.set_rules([RuleSource(1, 1, parse(document))])
    row = Row("01980000-0000-7000-8000-000000000000", START, "door", "d1", 1, 2, 0, None, {"state": "open", "level": 1})
    batches = [Batch(1, START, [row]), Batch(2, START + 86_400, [])]
    firings = made.process((batch, batch.rows) for batch in batches).firings
    assert [firing.t for firing in firings] == [1_795_442_400_000_000]  # 2026-11-23 22:00 in Shenyang


def test_a_clock_that_runs_ahead_makes_nobody_late() -> None:
    made = engine()
    result = {"state": "open", "level": 1}
    ahead = Row("01980000-0000-7000-8000-000000000001", START + 200, "door", "d1", 1, 2, 0, None, result)
    fine = Row("01980000-0000-7000-8000-000000000002", START, "door", "d2", 2, 3, 0, None, result)
    output = made.process([(Batch(1, START, [ahead]), [ahead]), (Batch(2, START + 0.1, [fine]), [fine])])
    assert output.late == []


def test_state_is_forgotten_in_the_end() -> None:
    made = engine()
    rows = [
        Row(f"0198{number:04x}-0000-7000-8000-000000000000", START + number, "door", "d1", 1, 2, 0, f"track:{number}",
            {"state": "open", "level": 1})
        for number in range(300)
    ]  # fmt: skip
    batches = batched(rows, [50])
    made.process((batch, batch.rows) for batch in batches)
    made.process([(Batch(1_000, START + 60 * 86_400, []), [])])
    made.sweep()
    assert made.keys == 0
