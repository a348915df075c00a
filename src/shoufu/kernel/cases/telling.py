from collections.abc import Sequence
from zoneinfo import ZoneInfo

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases.models import Case
from shoufu.kernel.notices.services import About, notify_roles, notify_user


def _about(case: Case) -> About:
    place = case.place
    opened = case.opened_at.astimezone(ZoneInfo(place.time_zone))
    same = {"number": case.number, "severity": case.severity, "time": f"{opened:%m-%d %H:%M:%S}"}
    return About(
        place=place,
        case_id=case.pk,
        event=f"{case.pk}:{case.version}",
        words={
            "zh-hans": same | {"title": case.title, "place": place.name},
            "en": same | {"title": case.title_en or case.title, "place": place.name_en or place.name},
        },
    )


def tell(actor: Actor, template: str, told: Sequence[tuple[Case, tuple[str, ...]]]) -> None:
    """Notices about cases to the nearest holders of the roles."""
    notify_roles(actor, template, [(_about(case), roles) for case, roles in told])


def tell_user(actor: Actor, template: str, case: Case, user_id: int) -> None:
    """A notice about a case to one user."""
    notify_user(actor, template, _about(case), user_id)
