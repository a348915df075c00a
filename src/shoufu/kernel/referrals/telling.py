from zoneinfo import ZoneInfo

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases.models import Case
from shoufu.kernel.notices.services import About, notify_roles, notify_user
from shoufu.kernel.referrals.models import Destination, Referral
from shoufu.kernel.referrals.selectors import officers


def _about(referral: Referral, what: str) -> About:
    case, place = referral.case, referral.case.place
    at = case.opened_at.astimezone(ZoneInfo(place.time_zone))
    same = {"number": referral.number, "case": case.number, "severity": case.severity, "time": f"{at:%m-%d %H:%M:%S}"}
    destination = referral.destination
    return About(
        place=place,
        event=f"referral:{referral.pk}:{what}:{referral.version}:{referral.case_version}",
        words={
            "zh-hans": same | {"title": case.title, "place": place.name, "to": destination.name},
            "en": same
            | {
                "title": case.title_en or case.title,
                "place": place.name_en or place.name,
                "to": destination.name_en or destination.name,
            },
        },
        case_id=case.pk,
    )


def tell_officers(actor: Actor, template: str, referral: Referral) -> None:
    """A notice to each officer of the organisation that the case was sent to."""
    about = _about(referral, template)
    for user_id in officers(referral.destination):
        notify_user(actor, template, about, user_id)


def tell_senders(actor: Actor, template: str, referral: Referral) -> None:
    """A notice to who has the case, and to the nearest managers and operators of its place.

    Of duress only administrators are told, who may see such cases: a notice must not light up beside the victim.
    """
    about = _about(referral, template)
    roles = ("administrator",) if referral.duress else ("property_manager", "operator")
    notify_roles(actor, template, [(about, roles)])
    if referral.case.assignee_id:
        notify_user(actor, template, about, referral.case.assignee_id)


def outage_case(destination: Destination) -> Case | None:
    """The case about the destination's line being down, while it is open."""
    found = destination.outage
    return found if found is not None and found.state in Case.OPEN else None
