"""Whatever place the board names for a visit, it takes the visit there when nothing else has changed."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shoufu.kernel.base.errors import Conflict
from shoufu.scenes.homecare.planning import services
from shoufu.scenes.homecare.planning.services import Wish
from shoufu.scenes.homecare.planning.services.stops import as_dict
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(4))
def test_every_place_that_is_named_is_taken(board: Any, seed: int) -> None:
    """Days whose ways take fractions of a minute; names go as the interface gives them: to the second."""
    draw = random.Random(seed)
    visits = _full_day(board, draw)
    for _round in range(6):
        visit = draw.choice(visits)
        day, fits = services.places(board.act(), visit.pk)
        for fit in fits:
            wish = _named(as_dict(day, fit))
            answer = services.check(board.act(), visit.pk, wish)
            assert answer.fit is not None, answer.text
        if fits:
            services.assign(board.act(), visit.pk, _named(as_dict(day, draw.choice(fits))))


def test_what_comes_near_a_refused_wish_is_taken_too(board: Any) -> None:
    draw = random.Random(11)
    visits = _full_day(board, draw)
    near = 0
    for visit in visits[:10]:
        busy = draw.choice(list(board.nurses.values()))
        try:
            services.assign(board.act(), visit.pk, Wish([busy.pk], visit.latest_at))
        except Conflict as refusal:
            for one in refusal.extra.get("near", ()):
                near += 1
                answer = services.check(board.act(), visit.pk, _named(one))
                assert answer.fit is not None, answer.text
    assert near > 4


def test_the_minute_that_a_line_names_is_taken(board: Any) -> None:
    """A person's line says “fits, 09:48”; they arrive some seconds after, and dropping on 09:48 holds."""
    board.sent(board.visit(0, 9), "song", 9)
    visit = board.visit(2, 9, 30, window=60)
    day, fits = services.places(board.act(), visit.pk)
    song = next(fit for fit in fits if fit.crew == (board.nurses["song"].pk,))
    minute = day.moment(song.starts[0]).replace(second=0)
    assert minute < day.moment(song.starts[0])
    row = services.assign(board.act(), visit.pk, Wish(song.crew, minute))
    assert row.starts[str(visit.pk)] == pytest.approx(song.starts[0])
    assert minute <= visit.stops.get().span.lower < minute + timedelta(minutes=1)


def test_a_place_from_now_on_is_taken_some_seconds_later(board: Any, clock: Callable[[datetime], None]) -> None:
    visit = board.visit(0, 9, window=60)
    clock(board.at(9, 20) + timedelta(seconds=10, microseconds=123456))
    day, fits = services.places(board.act(), visit.pk)
    clock(board.at(9, 20) + timedelta(seconds=40))
    for fit in fits:
        answer = services.check(board.act(), visit.pk, _named(as_dict(day, fit)))
        assert answer.fit is not None, answer.text


def test_a_time_after_the_promise_of_a_double_visit_is_refused_in_words(board: Any) -> None:
    """The second service may begin later than the first one's promise; the first one may not."""
    visit = board.visit(0, 9)
    visit.version.second, visit.version.gap_least, visit.version.gap_most = "sequential", 10, 40
    visit.version.performers = visit.version.performers * 2
    visit.version.save()
    crew = [board.nurses["song"].pk, board.nurses["bai"].pk]
    assert services.check(board.act(), visit.pk, Wish(crew, board.at(9, 30))).fit is not None
    answer = services.check(board.act(), visit.pk, Wish(crew, board.at(9, 50)))
    assert answer.fit is None and "09:00–09:30" in answer.text


def _full_day(board: Any, draw: random.Random) -> list[Visit]:
    """A day of single and double visits with as many as fit, all of them somebody's."""
    if "n0" not in board.nurses:
        board.grow(nurses=2, patients_=12)
    made = []
    for patient in draw.sample(range(len(board.patients)), 14):
        start = draw.randrange(8 * 12, 16 * 12)
        visit = board.visit(patient, start // 12, 5 * (start % 12), window=draw.choice((20, 30, 60)))
        try:
            services.insert_request(board.act(), visit.pk)
        except Conflict:
            continue
        made.append(visit)
    assert len(made) > 8
    return made


def _named(place: Any) -> Wish:
    return Wish(place["crew"], datetime.fromisoformat(place["start"]))
