from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.access.models import User
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.notices.models import Channel
from shoufu.kernel.notices.services import About, notify_roles, notify_user
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.community.welfare.models import Check, Entry, Helper, Watch

CONSENT = "welfare"
SCOPE = "welfare.answer"
VIEW, VISIT, DOOR, MANAGE = "welfare.view", "welfare.visit", "welfare.door", "welfare.manage"
LANGUAGES = ("zh-hans", "en")


def act(action: str, check: Check, reason: str = "", **data: object) -> Act:
    """The audit entry of a step of a check; the person may read it under "who looked"."""
    return Act(action, check, place=check.place_id, reason=reason, subject=check.person_id, data=data)


def about(check: Check, event: str, at: datetime, **words: dict[str, str]) -> About:
    """What a notice of this check says: who, where, when, and `words` (name → language → text)."""
    clock = f"{at.astimezone(ZoneInfo(check.place.time_zone)):%H:%M}"
    filled = {}
    for language in LANGUAGES:
        with override(language):
            told = {"name": check.person.name, "home": home_label(check.household), "time": clock}
            filled[language] = told | {name: texts[language] for name, texts in words.items()}
    return About(check.place, f"welfare{check.pk}:{event}", filled, check.case_id)


def about_watch(row: Watch, at: datetime, event: str) -> About:
    """What a notice of a watch says: the home and a time."""
    clock = f"{at.astimezone(ZoneInfo(row.place.time_zone)):%m-%d %H:%M}"
    filled = {}
    for language in LANGUAGES:
        with override(language):
            filled[language] = {"home": home_label(row.household), "time": clock}
    return About(row.place, f"watch{row.pk}:{event}:{clock}", filled)


def tell_users(template: str, told: About, users: Iterable[int]) -> list[int]:
    """Tell accounts, each once; whom."""
    wanted = sorted(set(users))
    for user in wanted:
        notify_user(SYSTEM, template, told, user)
    return wanted


def tell_role(template: str, told: About, role: str) -> list[int]:
    """Tell the nearest holders of a role; their accounts."""
    notices = notify_roles(SYSTEM, template, [(told, (role,))])
    return sorted({one.user_id for one in notices if one.channel == Channel.CONSOLE and one.user_id is not None})


def accounts(person_ids: Iterable[int]) -> list[int]:
    """The accounts of people themselves, without those who may act for them."""
    rows = User.objects.filter(person__in=list(person_ids), is_active=True)
    return sorted(rows.values_list("pk", flat=True))


def locked_watch(person_id: int) -> Watch:
    """The person's watch, locked; NotFound where they take no part."""
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place", "household__place", "person")
    found = rows.filter(person=person_id).first()
    if found is None:
        raise NotFound(_("There is no welfare watch that you may see."))
    return found


def locked_check(check_id: int) -> Check | None:
    rows = Check.objects.select_for_update(of=("self",))
    rows = rows.select_related("place", "household__place__parent__parent", "person", "case__place")
    return rows.filter(pk=check_id).first()


def line(check: Check, what: str, at: datetime, *, user: int | None = None, role: str = "") -> None:
    """A line of the check's timeline."""
    Entry.objects.create(check_of=check, at=at, step=check.step, what=what, user_id=user, role=role)


def sealed(person_id: int, text: str, field: str) -> bytes:
    key = subjects.keys_for([person_id])[person_id]
    if key is None:
        raise NotFound(_("This person's data was erased; register them anew."))
    return subjects.seal_text(key, text, person_id, f"welfare.{field}")


def clear(key: bytes | None, helper: Helper, field: str) -> str:
    """A helper's name or phone in clear; empty where there is none."""
    kept = getattr(helper, field)
    return subjects.unseal_text(key, bytes(kept), helper.watch.person_id, f"welfare.{field}") if kept else ""
