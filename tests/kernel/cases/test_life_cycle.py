from datetime import timedelta

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.cases import lifecycle, selectors, services
from shoufu.kernel.cases.models import Case, Feedback
from shoufu.kernel.notices.models import Notice


def raised(stage, world, **more):
    firing = stage.firing(world, **more)
    return services.raise_cases(
        SYSTEM, [services.RaisedCase(firing, kind="door.held_open", severity="medium", notify=("guard",))]
    )[0]


def test_a_firing_becomes_a_case_with_number_clocks_notice_and_audit(stage, world):
    """The rule fires; the guard of that compound is told, and nobody else."""
    case = raised(stage, world)
    assert case.number.startswith("C-") and case.number.endswith("-0001")
    assert case.due_at == case.acknowledge_by > case.known_at
    assert [notice.user for notice in Notice.objects.all()] == [world.alice]
    assert AuditEntry.objects.filter(action="cases.raise", object_id=str(case.pk)).count() == 1


def test_the_same_firing_raises_one_case_however_often_it_is_read(stage, world):
    firing = stage.firing(world)
    one = services.RaisedCase(firing, kind="door.held_open", severity="medium")
    assert len(services.raise_cases(SYSTEM, [one])) == 1
    assert services.raise_cases(SYSTEM, [one]) == []
    assert Case.objects.count() == 1


def test_a_suppressed_firing_is_seen_again_on_the_last_case(stage, world):
    case = raised(stage, world, seconds_ago=60)
    later = stage.firing(world, seconds_ago=5, suppressed=True)
    services.raise_cases(SYSTEM, [services.RaisedCase(later, kind="door.held_open", severity="medium")])
    case.refresh_from_db()
    assert (case.occurrences, case.last_at) == (2, later.t)


def test_raising_costs_the_same_number_of_queries_for_one_and_for_fifty(stage, world, django_assert_max_num_queries):
    many = [
        services.RaisedCase(stage.firing(world, key=f"k{n}"), kind="door.forced", severity="high", notify=("guard",))
        for n in range(50)
    ]
    with django_assert_max_num_queries(22):
        assert len(services.raise_cases(SYSTEM, many)) == 50


def test_alice_takes_a_case_to_its_end(stage, world):
    alice, case = world.act(world.alice), raised(stage, world)
    services.acknowledge(alice, case.pk, 1)
    services.dispatch(alice, case.pk, 2, user_id=world.alice.pk)
    services.resolve(alice, case.pk, 3, outcome="门已关好")
    done = services.close(alice, case.pk, 4)
    assert (done.state, done.due_at, done.assignee) == ("closed", None, world.alice)
    kinds = [event.kind for event in selectors.timeline(alice, done)]
    assert kinds == ["raised", "acknowledged", "dispatched", "resolved", "closed"]


def test_of_two_operators_the_second_is_told_and_nothing_is_overwritten(stage, world):
    case = raised(stage, world)
    services.acknowledge(world.act(world.alice), case.pk, 1)
    with pytest.raises(Conflict) as refused:
        services.false_alarm(world.act(world.chen), case.pk, 1, reason="风吹的")
    assert "Alice" in refused.value.detail
    case.refresh_from_db()
    assert (case.state, case.assignee) == ("acknowledged", world.alice)


def test_bob_of_the_next_compound_does_not_see_the_case(stage, world):
    case = raised(stage, world)
    bob = world.act(world.bob)
    assert not selectors.visible(bob).exists()
    with pytest.raises(NotFound):
        services.acknowledge(bob, case.pk, 1)


def test_an_auditor_may_not_handle_what_they_may_see(stage, world):
    from shoufu.kernel.base.actor import Actor, Grant

    case = raised(stage, world)
    looker = Actor("user", str(world.dan.pk), "Dan", (Grant("x", world.district.path, frozenset({"cases.view"})),))
    with pytest.raises(Forbidden):
        services.acknowledge(looker, case.pk, 1)


def test_a_false_alarm_is_feedback_on_its_rule(stage, world):
    case = raised(stage, world)
    services.false_alarm(world.act(world.alice), case.pk, 1, reason="搬家")
    feedback = Feedback.objects.get(case=case)
    assert (feedback.verdict, feedback.rule.code) == ("false_alarm", "held")


def test_resolving_without_a_word_is_refused_and_changes_nothing(stage, world):
    alice, case = world.act(world.alice), raised(stage, world)
    services.acknowledge(alice, case.pk, 1)
    with pytest.raises(Invalid) as refused:
        services.resolve(alice, case.pk, 2, outcome="  ")
    assert refused.value.errors[0].field == "outcome"
    case.refresh_from_db()
    assert case.version == 2


def test_a_closed_case_can_be_taken_up_again(stage, world):
    alice, case = world.act(world.alice), raised(stage, world)
    services.false_alarm(alice, case.pk, 1, reason="猫")
    again = services.reopen(alice, case.pk, 2, reason="不是猫")
    assert (again.state, again.closed_at) == ("acknowledged", None)
    assert again.due_at is not None


def test_a_merged_case_points_at_its_target(stage, world):
    alice = world.act(world.alice)
    first, second = raised(stage, world, key="a"), raised(stage, world, key="b")
    services.merge(alice, second.pk, 1, into=first.pk)
    second.refresh_from_db()
    assert (second.state, second.merged_into) == ("merged", first)
    with pytest.raises(Invalid):
        services.merge(alice, first.pk, None, into=second.pk)


def test_dispatching_to_somebody_without_a_role_here_is_refused(stage, world):
    case = raised(stage, world)
    with pytest.raises(Invalid) as refused:
        services.dispatch(world.act(world.alice), case.pk, 1, user_id=world.bob.pk)
    assert refused.value.errors[0].field == "receiver"


def test_an_overdue_case_goes_up_and_its_clock_starts_again(stage, world):
    case = raised(stage, world)
    Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    assert [one.pk for one in services.escalate_overdue()] == [case.pk]
    case.refresh_from_db()
    assert (case.role, case.escalation) == ("property_manager", 1)
    assert case.due_at > timezone.now()
    assert Notice.objects.filter(user=world.chen, template="case.escalated").count() == 1
    assert services.escalate_overdue() == []


def test_whoever_ends_the_chain_is_told_again_more_and_more_seldom(stage, world):
    case = raised(stage, world)
    waits = []
    for _ in range(12):
        Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - timedelta(seconds=1))
        services.escalate_overdue()
        case.refresh_from_db()
        waits.append(round((case.due_at - timezone.now()) / timedelta(minutes=1)))
    last = len(lifecycle.case_kind(case.kind).escalate_to)
    assert waits[:last] == [waits[0]] * last and waits[last] == 2 * waits[0]
    assert waits == sorted(waits) and waits[-1] == 60
    assert lifecycle.next_role(case) == case.role


def test_many_are_acknowledged_at_once_and_the_taken_ones_are_left(stage, world, django_assert_max_num_queries):
    alice = world.act(world.alice)
    cases = [raised(stage, world, key=f"k{n}") for n in range(5)]
    services.acknowledge(world.act(world.chen), cases[0].pk, 1)
    with django_assert_max_num_queries(10):
        done, left = services.acknowledge_many(alice, [case.pk for case in cases])
    assert len(done) == 4
    assert left == [cases[0].pk]


def test_a_past_moment_shows_the_case_as_it_was_known_then(stage, world):
    alice, case = world.act(world.alice), raised(stage, world)
    before = timezone.now()
    services.acknowledge(alice, case.pk, 1)
    services.resolve(alice, case.pk, 2, outcome="好了")
    then = selectors.open_then(alice, world.songshan.path, before)
    assert [(item.case.pk, item.state) for item in then] == [(case.pk, "new")]
    assert selectors.open_then(alice, world.songshan.path, timezone.now()) == []


def test_the_lists_of_a_hundred_cases_take_few_queries(stage, world, django_assert_num_queries):
    items = [
        services.RaisedCase(stage.firing(world, key=f"k{n}"), kind="door.forced", severity="high") for n in range(100)
    ]
    services.raise_cases(SYSTEM, items)
    alice = world.act(world.alice)
    with django_assert_num_queries(1):
        assert len(list(selectors.queue(alice)[:50])) == 50
    with django_assert_num_queries(1):
        assert selectors.queue_counts(alice).open == 100


def test_a_case_that_nobody_took_counts_as_late_once_its_limit_is_past(stage, world):
    alice, since = world.act(world.alice), timezone.now() - timedelta(hours=1)

    def share():
        return selectors.figures(alice, "", since, timezone.now() + timedelta(seconds=1)).acknowledged_in_time

    assert share() is None
    case = raised(stage, world)
    assert share() is None
    Case.objects.filter(pk=case.pk).update(acknowledge_by=timezone.now() - timedelta(minutes=1))
    assert share() == 0
    services.acknowledge(alice, case.pk, 1)
    Case.objects.filter(pk=case.pk).update(acknowledge_by=timezone.now() + timedelta(minutes=1))
    assert share() == 1
