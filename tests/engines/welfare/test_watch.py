from shoufu.engines.welfare import Event, Habits, Reason, Settings, Watch, trial

HOUR, DAY = 3600.0, 86400.0
QUICK = Settings(learning_days=0)


def day(number: int, *, wakes: float = 7.0) -> list[Event]:
    """A plain day: up at seven, something every hour, to bed at eleven."""
    start = number * DAY
    return [Event(start + (wakes + hour) * HOUR + extra) for hour in range(16) for extra in (0.0, 60.0)]


def living(days: int) -> list[Event]:
    return [event for number in range(days) for event in day(number)]


def test_a_usual_night_raises_nothing() -> None:
    assert trial(living(60)).alarms == []


def test_a_silent_morning_is_told_after_the_usual_night_and_a_margin() -> None:
    watch = Watch()
    for event in living(40):
        watch.event(event.t)
    alarm = watch.due()
    assert alarm is not None and alarm.reason is Reason.SILENT
    assert alarm.usual.learned and alarm.usual.known == 9 * HOUR - 60
    assert 9 * HOUR < alarm.usual.limit < 12 * HOUR


def test_before_it_knows_the_person_it_waits_the_fixed_span() -> None:
    watch = Watch()
    watch.event(0.0)
    watch.event(60.0)
    alarm = watch.due()
    assert alarm is not None and not alarm.usual.learned
    assert alarm.at == 60.0 + Settings().fixed


def test_a_stray_firing_is_no_sign_of_life_where_sensors_are_many() -> None:
    watch = Watch(Habits(QUICK))
    for number in range(200):
        watch.event(number * 30.0)
    before = watch.due()
    watch.event(200 * 30.0 + HOUR)
    assert watch.due() == before


def test_who_left_by_the_door_is_not_silent_but_out() -> None:
    watch = Watch(Habits(QUICK))
    watch.event(0.0)
    watch.event(10.0, door=True)
    alarm = watch.due()
    assert alarm is not None and alarm.reason is Reason.NOT_BACK


def test_who_comes_home_is_home_again() -> None:
    watch = Watch(Habits(QUICK))
    watch.event(0.0, door=True)
    watch.event(5 * HOUR, door=True)
    watch.event(5 * HOUR + 60)
    alarm = watch.due()
    assert alarm is not None and alarm.reason is Reason.SILENT and alarm.last == 5 * HOUR + 60


def test_silence_counts_only_while_the_sensors_are_heard() -> None:
    watch = Watch(Habits(QUICK))
    watch.event(0.0)
    before = watch.due()
    assert before is not None
    watch.lost(600.0)
    assert watch.due() is None
    watch.found(600.0 + 6 * HOUR)
    after = watch.due()
    assert after is not None and after.at == before.at + 6 * HOUR


def test_a_silence_is_told_once() -> None:
    watch = Watch(Habits(QUICK))
    watch.event(0.0)
    watch.told()
    assert watch.due() is None


def test_a_false_alarm_makes_it_more_patient_and_quiet_weeks_less() -> None:
    habits = Habits(QUICK)
    habits.begin(0.0)
    usual = habits.usual_silence(0.0).limit
    habits.was_well(0.0)
    assert habits.usual_silence(0.0).limit == usual + QUICK.patience
    assert habits.usual_silence(30 * DAY).limit < usual + QUICK.patience


def test_outages_of_the_gateway_raise_nothing() -> None:
    result = trial(living(60))
    assert result.outages > 100 and result.outage_alarms == 0


def test_a_hole_without_any_heartbeat_is_no_silence() -> None:
    beats = [Event(number * 600.0, life=False) for number in range(60 * 144)]
    hole = (40 * DAY + 12 * HOUR, 40 * DAY + 18 * HOUR)
    rows = sorted((e for e in living(60) + beats if not hole[0] < e.t < hole[1]), key=lambda e: e.t)
    assert trial(rows, silent_after=1800.0).alarms == []
    alive = [e for e in rows if e.life] + beats
    assert len(trial(sorted(alive, key=lambda e: e.t), silent_after=1800.0).alarms) == 1
