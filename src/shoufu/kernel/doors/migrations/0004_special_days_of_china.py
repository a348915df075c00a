from datetime import date, timedelta
from typing import Any

from django.db import migrations

NOTICE = "国务院办公厅关于2026年部分节假日安排的通知（2025-11-04）"
LAW = "全国年节及纪念日放假办法（2025-01-01 起施行）；当年调休安排公布后请补充"
HOLIDAYS = (
    ("2026-01-01", 3, "元旦", "New Year", NOTICE),
    ("2026-02-15", 9, "春节", "Spring Festival", NOTICE),
    ("2026-04-04", 3, "清明节", "Qingming", NOTICE),
    ("2026-05-01", 5, "劳动节", "Labour Day", NOTICE),
    ("2026-06-19", 3, "端午节", "Dragon Boat Festival", NOTICE),
    ("2026-09-25", 3, "中秋节", "Mid-Autumn Festival", NOTICE),
    ("2026-10-01", 7, "国庆节", "National Day", NOTICE),
    ("2027-01-01", 1, "元旦", "New Year", LAW),
    ("2027-02-05", 4, "春节", "Spring Festival", LAW),
    ("2027-04-05", 1, "清明节", "Qingming", LAW),
    ("2027-05-01", 2, "劳动节", "Labour Day", LAW),
    ("2027-06-09", 1, "端午节", "Dragon Boat Festival", LAW),
    ("2027-09-15", 1, "中秋节", "Mid-Autumn Festival", LAW),
    ("2027-10-01", 3, "国庆节", "National Day", LAW),
)
# The notice names the days that are worked, not the weekday that each stands in for: a Sunday is taken as a Monday, a
# Saturday as a Friday.
WORKED = (
    ("2026-01-04", "元旦"),
    ("2026-02-14", "春节"),
    ("2026-02-28", "春节"),
    ("2026-05-09", "劳动节"),
    ("2026-09-20", "国庆节"),
    ("2026-10-10", "国庆节"),
)


def fill(apps: Any, _schema: Any) -> None:
    """China's public holidays of 2026 as announced, and of 2027 as far as the law fixes them."""
    model = apps.get_model("doors", "SpecialDay")
    rows = []
    for first, days, name, name_en, source in HOLIDAYS:
        for n in range(days):
            day = date.fromisoformat(first) + timedelta(days=n)
            rows.append(model(day=day, kind="holiday", name=name, name_en=name_en, source=source))
    for text, name in WORKED:
        day = date.fromisoformat(text)
        stands_for = 1 if day.weekday() == 6 else 5
        words = {"name": f"{name}调休上班", "name_en": "Make-up working day", "source": NOTICE}
        rows.append(model(day=day, kind="workday", stands_for=stands_for, **words))
    model.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("doors", "0003_receipts_outlive_credentials")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
