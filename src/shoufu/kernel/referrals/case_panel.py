from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.parts import PanelPart
from shoufu.kernel.referrals import selectors


def part(request: PageRequest, case: Case) -> PanelPart | None:
    """Where the case was sent, and the way to send it."""
    if not request.actor.may(selectors.VIEW, case.place.path):
        return None
    referrals = selectors.of_case(request.actor, case)
    open_case = case.state in Case.OPEN and request.actor.may("referrals.send", case.place.path)
    taken = {referral.destination_id for referral in referrals if referral.state in referral.OPEN}
    serving = [one for one in selectors.serving(case.place) if one.pk not in taken] if open_case else []
    if not referrals and not serving:
        return None
    return PanelPart("referrals/case_panel.html", {"referrals": referrals, "serving": serving, "case": case})
