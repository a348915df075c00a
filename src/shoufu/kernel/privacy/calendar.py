from datetime import date, datetime, timedelta

from django.utils import timezone

# Working days of mainland China that the week alone does not tell: public holidays and make-up Sundays, by the
# State Council's yearly notice (国办发明电). Years that are not listed count Monday to Friday.
HOLIDAYS: dict[int, tuple[str, ...]] = {
    2026: (
        "01-01 01-02",
        "02-16 02-17 02-18 02-19 02-20 02-23",
        "04-06",
        "05-01 05-04 05-05",
        "06-19",
        "09-25",
        "10-01 10-02 10-05 10-06 10-07",
    ),
}
MAKE_UP: dict[int, tuple[str, ...]] = {2026: ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")}


def _listed(table: dict[int, tuple[str, ...]], day: date) -> bool:
    return day.strftime("%m-%d") in " ".join(table.get(day.year, ())).split()


def is_working(day: date) -> bool:
    """Whether offices work on this day."""
    if _listed(MAKE_UP, day):
        return True
    return day.weekday() < 5 and not _listed(HOLIDAYS, day)


def working_days_after(moment: datetime, count: int) -> datetime:
    """The end of the `count`-th working day after a moment, in the server's time zone."""
    local = timezone.localtime(moment)
    day = local.date()
    while count > 0:
        day += timedelta(days=1)
        count -= is_working(day)
    return timezone.make_aware(datetime(day.year, day.month, day.day, 23, 59, 59))
