"""A chunk alone must say what the plain query says, at any moment, whatever came late."""

import json
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.devices.models import Change, Device
from shoufu.kernel.history import chunks, marks
from shoufu.kernel.observations import partitions
from shoufu.kernel.observations import services as observations
from shoufu.kernel.observations.models import ObservationKind

TEN, SIXTY = timedelta(minutes=10), timedelta(minutes=60)
BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=3)
FRONTEND = Path(__file__).parents[3] / "frontend"


@pytest.fixture
def world(stage: Any) -> Any:
    observations.sync_kinds(SYSTEM)
    return stage.build()


def _fill(world: Any, seed: int) -> random.Random:
    """Three devices over three hours; every fifth report comes up to two hours late, some from before it all began."""
    dice = random.Random(seed)
    more = [Device.objects.create(code=f"more-{n}", kind="sensor", name=f"{n}", place=world.songshan) for n in range(2)]
    rows = {}
    for device in [world.controller, *more]:
        for name in ("state", "status", "tamper", "state.1"):
            for _ in range(60):
                valid = (
                    BEGIN - TEN + timedelta(seconds=dice.randrange(0, 3 * 3600 + 600), milliseconds=dice.randrange(999))
                )
                late = dice.choice((0.02, 0.02, 0.02, 0.02, dice.uniform(1, 7200)))
                rows[device.pk, name, valid] = Change(
                    device=device,
                    property=name,
                    value=dice.choice(("open", "closed", "online", "offline")),
                    valid=valid,
                    known=valid + timedelta(seconds=late),
                )
    Change.objects.bulk_create(rows.values())
    return dice


def _plain(world: Any, at: datetime, known: datetime) -> dict[tuple[int, str], Any]:
    rows = devices.states_as_of(world.act(world.alice), world.songshan.path, at, known, ("state", "status", "tamper"))
    return {(row.device_id, row.property): row.value for row in rows}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length", [TEN, SIXTY])
def test_a_chunk_says_what_the_query_says_at_any_moment(world: Any, seed: int, length: timedelta) -> None:
    dice, alice, now = _fill(world, seed), world.act(world.alice), END + timedelta(days=1)
    for _ in range(25):
        at = BEGIN + timedelta(milliseconds=dice.randrange(0, 3 * 3600 * 1000))
        played = chunks.chunk(alice, world.songshan.path, chunks.begin(at, length), length, now)
        then = {key: one.value for key, one in chunks.state_at(played, at).items()}
        assert then == _plain(world, at, at)
        learned = {key: one.value for key, one in chunks.state_at(played, at, later=True).items()}
        # What was learned after the chunk was made is in none; everything before `now` is.
        assert learned == _plain(world, at, now)


@pytest.mark.skipif(
    not shutil.which("node") or not (FRONTEND / "node_modules/typescript").exists(), reason="needs the front end's Node"
)
def test_the_browser_adds_up_as_the_server_does(world: Any, tmp_path: Path) -> None:
    dice, alice, now = _fill(world, 9), world.act(world.alice), END + timedelta(days=1)
    asked = []
    for _ in range(60):
        at = BEGIN + timedelta(milliseconds=dice.randrange(0, 3 * 3600 * 1000))
        length, later = dice.choice((TEN, SIXTY)), dice.random() < 0.4
        played = chunks.chunk(alice, world.songshan.path, chunks.begin(at, length), length, now)
        asked.append({"at": at.timestamp() * 1000, "later": later, "chunk": chunks.columns(played)})
    expected = [{f"{d}/{p}": value for (d, p), value in _plain(world, *(_moments(one, now))).items()} for one in asked]
    assert json.loads(_node(tmp_path, asked)) == expected


def _moments(asked: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    at = datetime.fromtimestamp(asked["at"] / 1000, UTC)
    return at, now if asked["later"] else at


def _node(folder: Path, asked: list[dict[str, Any]]) -> str:
    """Run the front end's own module on the chunks; each answer maps "device/property" to its value."""
    (folder / "asked.json").write_text(json.dumps(asked))
    script = """
        const ts = require(process.argv[1] + "/node_modules/typescript");
        const fs = require("fs");
        const source = fs.readFileSync(process.argv[1] + "/src/timemachine/fold.ts", "utf8");
        const options = { module: "commonjs", target: "es2022" };
        const out = ts.transpileModule(source, { compilerOptions: options }).outputText;
        const found = { exports: {} };
        new Function("exports", "module", out)(found.exports, found);
        const asked = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
        console.log(JSON.stringify(asked.map(({ at, later, chunk }) => {
          const said = {};
          for (const [device, properties] of found.exports.statesAt(chunk, at, later)) {
            for (const [name, held] of properties) said[device + "/" + name] = held.value;
          }
          return said;
        })));
    """
    done = subprocess.run(
        ["node", "-e", script, str(FRONTEND), str(folder / "asked.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_door_of_a_controller_is_another_one(world: Any) -> None:
    from shoufu.kernel.doors.models import AccessPoint

    AccessPoint.objects.create(
        code="two", name="后门", place=world.door, kind="unit_door", controller=world.controller, output=2
    )
    rows = [("state", "closed"), ("state.1", "open")]
    Change.objects.bulk_create(
        Change(device=world.controller, property=name, value=value, valid=BEGIN, known=BEGIN) for name, value in rows
    )
    played = chunks.chunk(world.act(world.alice), world.songshan.path, BEGIN, TEN, END)
    assert {key[1]: one.value for key, one in chunks.state_at(played, BEGIN + TEN).items()} == dict(rows)


def test_a_neighbour_gets_nothing_and_nobody_a_whole_city(world: Any, monkeypatch: Any) -> None:
    _fill(world, 1)
    _log(world, "door.access", {"granted": True, "credential": "card", "key": "ab12", "person": 7}, BEGIN)
    bob = chunks.chunk(world.act(world.bob), "/", BEGIN - TEN, SIXTY, END)
    assert (bob.key, bob.later, bob.changes, bob.events, bob.cases) == ([], [], [], [], [])
    monkeypatch.setattr(chunks, "MOST_DEVICES", 2)
    with pytest.raises(Invalid, match="place"):
        chunks.chunk(world.act(world.alice), "/", BEGIN, TEN, END)


def _log(world: Any, kind: str, result: dict[str, Any], t: datetime, known: datetime | None = None) -> None:
    partitions.make_for([t.date()])
    row = ObservationKind.objects.get(code=kind)
    with connection.cursor() as cursor:
        cursor.execute("select nextval('batch_key')")
        key = cursor.fetchone()[0]
        cursor.execute(
            "insert into obs (id, t, known, batch, ix, kind, device, place, shard, result)"
            " values (%s, %s, %s, %s, 0, %s, %s, %s, 0, %s)",
            [uuid7(), t, known or t, key, row.pk, world.controller.pk, world.door.pk, json.dumps(result)],
        )
        cursor.execute("select count(*) + 1 from batch_log")
        cursor.execute("insert into batch_log values (%s, %s, %s, 1)", [cursor.fetchone()[0], key, known or t])


def test_who_passed_a_door_is_not_in_it_and_motion_in_a_flat_is_not_either(world: Any) -> None:
    at = BEGIN + timedelta(minutes=2)
    _log(world, "door.access", {"granted": True, "credential": "card", "key": "ab12", "person": 7}, at)
    _log(world, "vehicle.passage", {"plate": "辽A12345", "class": "unknown"}, at, at + timedelta(minutes=5))
    _log(world, "door.duress", {"key": "ab12"}, at)
    _log(world, "presence.motion", {"active": True}, at)
    Change.objects.create(device=world.controller, property="active", value=True, valid=at, known=at)
    played = chunks.chunk(world.act(world.alice), world.songshan.path, BEGIN, TEN, END)
    said = [(one.kind, one.data) for one in played.events]
    assert said == [
        ("door.access", {"granted": True, "credential": "card"}),
        ("vehicle.passage", {"plate": "辽A12345", "class": "unknown"}),
    ]
    assert played.events[1].known - played.events[1].t == timedelta(minutes=5)
    assert not played.changes
    late = chunks.chunk(world.act(world.alice), world.songshan.path, BEGIN + TEN, TEN, END)
    assert late.events == []


def test_a_late_passage_is_in_the_chunk_in_which_it_was_learned_too(world: Any) -> None:
    _log(world, "door.access", {"granted": False}, BEGIN - TEN, BEGIN + timedelta(minutes=1))
    alice = world.act(world.alice)
    for since in (BEGIN - TEN - TEN, BEGIN):
        played = chunks.chunk(alice, world.songshan.path, since, TEN, END)
        assert [one.data for one in played.events] == [{"granted": False}]
    assert chunks.chunk(alice, world.songshan.path, BEGIN + TEN, TEN, END).events == []


@pytest.mark.parametrize("seed", range(3))
def test_cases_are_open_when_the_plain_query_says_so(world: Any, seed: int) -> None:
    dice, alice = random.Random(seed), world.act(world.alice)
    for n in range(12):
        opened = BEGIN + timedelta(seconds=dice.randrange(9000))
        known = opened + timedelta(seconds=dice.choice((1, 1, 900)))
        case = Case.objects.create(
            number=f"C-{n}", kind="door.held_open", title="门", severity="medium", severity_rank=2, place=world.door,
            opened_at=opened, known_at=known, last_at=opened, acknowledged_at=known, state="new",
        )  # fmt: skip
        CaseEvent.objects.create(case=case, kind="raised", at=opened, known=known, actor="system")
        at = known
        for kind in ("acknowledged", "resolved", "reopened", "closed")[: dice.randrange(5)]:
            at += timedelta(seconds=dice.randrange(1, 1500))
            CaseEvent.objects.create(case=case, kind=kind, at=at, known=at, actor="保安")
            case.state = cases.STATE_AFTER[kind]
        case.closed_at = at if case.state == "closed" else None
        case.save()
    for _ in range(40):
        at = BEGIN + timedelta(milliseconds=dice.randrange(3 * 3600 * 1000))
        played = chunks.chunk(alice, world.songshan.path, chunks.begin(at, TEN), TEN, END)
        shown = {(mark.case.pk, marks.state_at(mark, at)) for mark in played.cases}
        plain = {(then.case.pk, then.state) for then in cases.open_then(alice, world.songshan.path, at)}
        assert {one for one in shown if one[1] in Case.OPEN} == plain
