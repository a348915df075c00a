from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest


def add_user(care: Any, name: str, shown: str, role: str, office: Any = None) -> Any:
    """An account with a role in the compound, working for an institution where one is given."""
    from django.utils import timezone

    from shoufu.kernel.access.models import RoleAssignment, User
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties

    (person,) = parties.create_people(SYSTEM, [parties.PersonDraft(shown, care.world.songshan.pk)])
    if office is not None:
        draft = parties.MembershipDraft(person.pk, office.organisation_id, "护理", date(2020, 1, 1))
        parties.add_members(SYSTEM, [draft])
    user = User.objects.create(username=name, display_name=shown, person=person)
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role=role, place=care.world.songshan, since=since)
    care.users[name] = user
    return user


@pytest.fixture
def staff(care: Any) -> Any:
    """The story with Dou, who manages the first institution, Du, who manages the second, and Ji of the health
    commission."""
    add_user(care, "dou", "窦经理", "care_institution", care.office)
    add_user(care, "du", "杜经理", "care_institution", care.other_office)
    add_user(care, "ji", "纪监管", "care_regulator")
    return care


@pytest.fixture
def visit_of(care: Any) -> Callable[..., Any]:
    """Makes visits of Song to Mei; times are counted from now."""
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
    from django.utils import timezone

    from shoufu.scenes.homecare.visits.models import Stop, Visit

    def made(
        state: str = "done", *, ago: timedelta = timedelta(hours=3), late: int = 0, minutes: int = 45, **more: Any
    ) -> Any:
        start = timezone.now() - ago
        began = start + timedelta(minutes=late) if state in ("done", "underway") else None
        columns: dict[str, Any] = {
            "patient": care.mei, "institution": care.office, "service": care.service,
            "version": care.service.versions.get(), "place": care.mei.place, "state": state,
            "day": start.astimezone(ZoneInfo(care.office.place.time_zone)).date(), "starts_at": start,
            "latest_at": start + timedelta(minutes=30), "requested_at": start - timedelta(days=2), "began_at": began,
            "ended_at": began + timedelta(minutes=minutes) if state == "done" and began else None,
        }  # fmt: skip
        row = Visit.objects.create(**columns | more)
        span = DateTimeTZRange(start, start + timedelta(minutes=45))
        Stop.objects.create(visit=row, practitioner=care.song, span=span, live=state not in ("cancelled", "missed"))
        return row

    return made
