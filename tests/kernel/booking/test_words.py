import pytest
from django.utils import translation

from shoufu.kernel.booking.templatetags.booking import recurring


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "weekly on Mon, Wed, Fri", "每周一、三、五"),
        ("FREQ=DAILY", "every day", "每天"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every day", "每天"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=WEEKLY;BYDAY=2MO,TU", "FREQ=WEEKLY;BYDAY=2MO,TU", "FREQ=WEEKLY;BYDAY=2MO,TU"),
    ],
)
def test_a_recurrence_is_told_in_words_where_there_are_some(rule: str, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert recurring(rule) == english
    with translation.override("zh-hans"):
        assert recurring(rule) == chinese
