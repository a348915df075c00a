from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.parts import PanelPart
from shoufu.scenes.homecare.encounters.models import Overdue, Sos


def part(request: PageRequest, case: Case) -> PanelPart | None:
    """Who called for help or is late, and the last position: the panel's reader may see the case already."""
    if case.kind == "homecare.sos":
        rows = Sos.objects.filter(case=case).select_related("practitioner__person", "visit").order_by("-known_at")
        calls = list(rows)
        return PanelPart("homecare/encounters/panel.html", {"calls": calls, "last": calls[0]}) if calls else None
    if case.kind == "homecare.overdue":
        late = Overdue.objects.filter(case=case).select_related("practitioner__person", "visit").first()
        return PanelPart("homecare/encounters/panel.html", {"late": late}) if late else None
    return None
