"""Outcomes of cases propose a number: from the log, for a person to try and to switch on."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shoufu.kernel.base.actor import SYSTEM, Actor, Grant
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.rules.learning.turns import replaced, shape, turn_at, turns
from shoufu.kernel.rules.spec import parse

_spec = importlib.util.spec_from_file_location("rules_live", Path(__file__).with_name("test_live.py"))
assert _spec is not None and _spec.loader is not None
live = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(live)

PARCELS = (62, 65, 70, 74, 80, 84)
WEDGED = (200, 260, 500)
LONG = {
    "kinds": ["zone.dwell"],
    "where": "result.object == 'person' && result.seconds >= 10.0",
    "pattern": {"type": "match"},
    "schedule": {"from": "22:00", "to": "05:30"},
    "cooldown": 900,
}


def manager(story: Any, *permissions: str, place: str = "d") -> Actor:
    rights = frozenset(permissions or ("rules.view", "rules.manage", "cases.view", "cases.handle"))
    return Actor("user", "", "经理", (Grant("property_manager", story.places[place].path, rights),))


def judged(story: Any) -> Any:
    """A rule with nine cases: six parcels, which were false alarms, and a door wedged open three times."""
    from shoufu.kernel.cases import services as cases
    from shoufu.kernel.cases.models import Case

    story.start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20)
    version = live.make_live(story, live.HELD_OPEN, "门长时间未关")
    last, t = 0, 0.0
    for number, held in enumerate((*PARCELS, *WEDGED)):
        t = number * 3600.0
        last = story.log((t, "east", "door.state", {"state": "open"}))
        last = story.log((t + held, "east", "door.state", {"state": "closed"}))
    last = story.log((t + 4000, "west", "door.state", {"state": "closed"}))
    live.evaluate(live.done(last))
    for case, held in zip(Case.objects.order_by("opened_at"), (*PARCELS, *WEDGED), strict=True):
        cases.acknowledge(SYSTEM, case.pk)
        if held in PARCELS:
            cases.false_alarm(SYSTEM, case.pk, reason="快递员搬货")
        else:
            cases.resolve(SYSTEM, case.pk, outcome="门被砖头顶住")
    return version


def studied(version: Any, actor: Actor = SYSTEM) -> Any:
    from shoufu.kernel.rules import selectors
    from shoufu.kernel.rules.learning import selectors as learning
    from shoufu.kernel.rules.learning.study import learn

    learn(selectors.get(SYSTEM, version.rule_id))
    return learning.of_rule(actor, version.rule_id)


def test_a_door_that_stood_open_for_parcels_gets_a_longer_time(story: Any) -> None:
    found = studied(judged(story))
    offer = found.offers[0]
    assert offer.pointer == "/pattern/for"
    assert 84 < offer.best.value <= 100
    assert len(offer.best.avoided) == 6 and not offer.best.lost
    assert offer.counts == {"true": 3, "false_alarm": 6, "open": 0, "unknown": 0}
    assert {dot.outcome for dot in offer.strip.dots} == {"true", "false_alarm"}
    assert 0.6 < offer.risk < 0.65
    pause = next(one for one in found.offers if one.pointer == "/cooldown")
    assert pause.best is None, "an hour's pause would swallow a door wedged open"


def test_trying_it_makes_a_draft_and_a_rehearsal_that_agrees(story: Any) -> None:
    from shoufu.kernel.audit.models import AuditEntry
    from shoufu.kernel.rules import services
    from shoufu.kernel.rules.learning import selectors as learning
    from shoufu.kernel.rules.learning import services as proposals
    from shoufu.kernel.rules.learning.study import due
    from shoufu.kernel.rules.models import RuleVersion
    from shoufu.kernel.rules.rehearsal.jobs import run

    version, actor = judged(story), manager(story)
    studied(version)
    writing = services.save_draft(actor, version.rule_id, live.HELD_OPEN | {"severity": "high"}, note="half done")
    trial = proposals.try_proposal(actor, version.rule_id, "/pattern/for")
    draft = RuleVersion.objects.get(pk=trial.version_id)
    writing.refresh_from_db()
    assert (writing.spec["severity"], draft.number, draft.state) == ("high", 3, "draft")
    assert "6" in draft.note
    assert RuleVersion.objects.get(pk=version.pk).state == "live"
    run(trial.pk)
    trial.refresh_from_db()
    assert (trial.state, trial.result["draft_figures"]["raised"], trial.result["missed_true"]) == ("done", 3, 0)
    assert trial.result["draft_figures"]["false_alarms"] == 0
    offer = learning.offer(actor, version.rule_id, "/pattern/for")[1]
    assert offer.tried.version == draft and offer.trial == trial
    services.activate(actor, draft.pk)
    entry = AuditEntry.objects.filter(action="rules.activate").order_by("-pk")[0]
    assert entry.data["proposal"]["pointer"] == "/pattern/for"
    assert entry.data["proposal"]["reason"] == draft.note
    with pytest.raises(Conflict):
        proposals.try_proposal(actor, version.rule_id, "/pattern/for")
    again = studied(version)
    assert due() == [], "the retired version does not count as the one in force"
    assert not again.offers or again.offers[0].best is None, "cases of the old number count no more than they can"


def test_not_now_keeps_it_away_until_there_are_new_outcomes(story: Any) -> None:
    from shoufu.kernel.cases import services as cases
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.rules.learning import selectors as learning
    from shoufu.kernel.rules.learning import services as proposals
    from shoufu.kernel.rules.learning.study import due

    version, actor = judged(story), manager(story)
    assert [rule.pk for rule in due()] == [version.rule_id]
    studied(version)
    assert due() == []
    with pytest.raises(Invalid):
        proposals.decline(actor, version.rule_id, "/pattern/for", "  ")
    proposals.decline(actor, version.rule_id, "/pattern/for", "先修门")
    found = studied(version)
    assert found.open_offers == () and found.put_off[0].away.reason == "先修门"
    cases.give_feedback(SYSTEM, Case.objects.order_by("opened_at")[0].pk, "false_alarm", "again")
    assert [rule.pk for rule in due()] == [version.rule_id]
    assert studied(version).open_offers[0].pointer == "/pattern/for"
    assert learning.of_rule(actor, version.rule_id).open_offers


def test_who_may_not_see_the_cases_sees_no_proposals(story: Any) -> None:
    from shoufu.kernel.rules.learning import selectors as learning
    from shoufu.kernel.rules.learning import services as proposals

    version = judged(story)
    studied(version)
    for actor in (manager(story, place="west"), manager(story, "rules.view"), manager(story, "cases.view")):
        assert learning.proposals(actor) == []
        with pytest.raises(NotFound):
            proposals.try_proposal(actor, version.rule_id, "/pattern/for")
        with pytest.raises(NotFound):
            proposals.decline(actor, version.rule_id, "/pattern/for", "x")
    reader = manager(story, "rules.view", "cases.view")
    assert learning.proposals(reader)
    with pytest.raises(Forbidden):
        proposals.try_proposal(reader, version.rule_id, "/pattern/for")


def test_what_nobody_judged_is_told(story: Any) -> None:
    from shoufu.kernel.cases import services as cases
    from shoufu.kernel.cases.models import Case

    version = judged(story)
    for case in Case.objects.order_by("opened_at")[:2]:
        cases.reopen(SYSTEM, case.pk, reason="look again")
        case.feedback.delete()
    offer = studied(version).offers[0]
    assert offer.counts["open"] == 2 and offer.counts["false_alarm"] == 4
    assert offer.best is None and "4" in offer.nothing


def test_pages_show_try_and_put_off(story: Any) -> None:
    from shoufu.kernel.access.models import RoleAssignment, User
    from shoufu.kernel.rules.models import Decision, Rehearsal

    version = judged(story)
    studied(version)
    user = User.objects.create_user("manager", password="x" * 14, language="en")
    since = datetime.now(UTC) - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role="property_manager", place=story.places["d"], since=since)
    client = Client()
    client.force_login(user)
    page = client.get("/rules/proposals").content.decode()
    assert "6 of 6 false alarms of the last 6 weeks would not have been raised, no real case lost." in page
    assert "1 minute →" in page.replace('<span aria-hidden="true">→</span>', "→") and "/cases/" in page
    assert "rules/proposals?rule=" in client.get(f"/rules/{version.rule_id}").content.decode()
    address = f"/rules/{version.rule_id}/proposals"
    assert client.post(f"{address}/try", {"pointer": "/pattern/for", "value": "95"}).status_code == 302
    assert Rehearsal.objects.get().version.spec["pattern"]["for"] == 95
    assert client.post(f"{address}/decline", {"pointer": "/pattern/for", "reason": ""}).status_code == 422
    assert client.post(f"{address}/decline", {"pointer": "/pattern/for", "reason": "later"}).status_code == 302
    assert Decision.objects.filter(kind="declined").count() == 1
    assert "later" in client.get("/rules/proposals").content.decode()
    found = client.get("/api/rules/proposals").json()
    assert found[0]["offers"][0]["state"] == "declined"
    assert client.post("/rules/proposals/recount").status_code == 302


def test_numbers_of_a_rule_are_found_and_changed() -> None:
    spec = parse(LONG)
    found = {one.pointer: one for one in turns(spec)}
    where = next(one for one in found.values() if one.kind == "constant")
    assert (where.atom, where.path, where.knob.current) == ("result.seconds >= 10.0", "result.seconds", 10.0)
    assert set(found) == {where.pointer, "/schedule/from", "/schedule/to", "/cooldown"}
    assert replaced(spec, where, 25).where == "result.object == 'person' && result.seconds >= 25.0"
    later = replaced(spec, turn_at(spec, "/schedule/from"), 45.0)
    assert later.schedule is not None and (later.schedule.start, later.schedule.end) == ("22:45", "05:30")
    assert shape(replaced(spec, where, 100)).where == shape(spec).where
    assert [one.kind for one in turns(parse(LONG | {"where": "result.seconds >= 10.0 || result.score > 0.5"}))][:1] == [
        "opens"
    ]
