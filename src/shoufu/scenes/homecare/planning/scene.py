from shoufu.kernel.base.scene import ActName, MenuItem, Part, Role
from shoufu.scenes.homecare.planning.notices import NOTICES

part = Part(
    notices=NOTICES,
    menu=(MenuItem("派单台", "Dispatch board", "route", "homecare:planning:board", "homecare.dispatch"),),
    roles=(Role("care_coordinator", "护理调度员", "Care coordinator", frozenset({"homecare.dispatch"})),),
    acts=(
        ActName("homecare.visit.replanned", "调整了为您上门的人或时间", "Changed who comes to you, or when"),
        ActName(
            "homecare.dispatch.propose",
            "试算您迟到或缺勤时的排班",
            "Tried what a delay or absence of yours would change",
        ),
    ),
)
