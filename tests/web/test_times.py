"""Times as pages write them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from shoufu.web.templatetags.shell import minute, when


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """Noon at the place, the 30th of November 2026."""
    with timezone.override("Asia/Shanghai"):
        noon = datetime(2026, 11, 30, 12, tzinfo=timezone.get_current_timezone())
        monkeypatch.setattr(timezone, "now", lambda: noon)
        yield noon


def test_what_happened_is_told_to_the_second_and_what_was_agreed_to_the_minute(now: datetime) -> None:
    today = now + timedelta(hours=6.5)
    assert (when(today), minute(today)) == ("18:30:00", "18:30")


def test_on_another_day_both_name_the_day(now: datetime) -> None:
    tomorrow, last_year = now + timedelta(days=1), now - timedelta(days=365)
    assert when(tomorrow) == minute(tomorrow) == "12-01 12:00"
    assert when(last_year) == minute(last_year) == "2025-11-30 12:00"
    assert when(None) == minute(None) == ""
