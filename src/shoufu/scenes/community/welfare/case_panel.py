from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.parts import PanelPart
from shoufu.scenes.community.welfare import selectors


def part(request: PageRequest, case: Case) -> PanelPart | None:
    """The way from the case to whom to call and the answers."""
    if case.kind != "welfare.check":
        return None
    check = selectors.of_case(request.actor, case.pk)
    return PanelPart("community/welfare/panel.html", {"check": check}) if check is not None else None
