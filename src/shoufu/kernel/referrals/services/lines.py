from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases import live
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.referrals.models import Handling, Referral


def say(referral: Referral, actor: Actor, step: str, text: str = "", by: str = "") -> Handling:
    """A line on the referral, and on the timeline of its case; the live screens are told."""
    who = by or actor.label
    line = Handling.objects.create(
        referral=referral, at=timezone.now(), step=step, by=who[:120], text=text[:300], user_id=actor.user_id
    )
    tell_case(referral.case, who, text, {"referral": referral.number, "step": step, "to": referral.destination.name})
    return line


def tell_case(case: Case, who: str, text: str, data: Mapping[str, Any]) -> None:
    """A line on the timeline of a case."""
    now = timezone.now()
    CaseEvent.objects.create(
        case=case, kind=CaseEvent.Kind.REFERRAL, at=now, known=now, actor=who[:120], text=text, data=dict(data)
    )
    live.publish([case], "referral")
