from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.parts import PanelPart
from shoufu.kernel.evidence import selectors


def part(request: PageRequest, case: Case) -> PanelPart | None:
    """What was handed over of the case, whether it is held, and the way to do either."""
    may_export = request.actor.may(selectors.EXPORT, case.place.path)
    may_hold = request.actor.may(selectors.HOLD, case.place.path)
    if not (may_export or may_hold):
        return None
    context = {
        "case": case,
        "exports": selectors.of_case(request.actor, case) if may_export else [],
        "hold": selectors.hold_of(case),
        "may_export": may_export,
        "may_hold": may_hold,
    }
    return PanelPart("evidence/case_panel.html", context)
