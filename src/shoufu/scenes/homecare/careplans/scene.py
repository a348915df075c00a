from collections.abc import Mapping
from typing import Any

from shoufu.engines.chronic import CONTEXTS, KINDS, QUANTITIES
from shoufu.kernel.base.scene import ActName, CaseKind, Kind, MenuItem, Part, Role
from shoufu.scenes.homecare.careplans.notices import NOTICES

SIGNALS = "homecare.signals"
"""The right to see readings of home devices in the log. No role has it: the part reads them, and people see what it
keeps, each look recorded."""


def _schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema of a device's reading: the limits of what can be, so that a slip is refused at the edge."""
    found = KINDS[kind]
    properties: dict[str, Any] = {
        name: {"type": "number", "minimum": QUANTITIES[name].least, "maximum": QUANTITIES[name].most}
        for name in found.quantities
    }
    if found.contexts:
        properties["context"] = {"type": "string", "enum": list(CONTEXTS)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(found.needs),
        "additionalProperties": False,
    }


part = Part(
    notices=NOTICES,
    menu=(
        MenuItem("慢病照护", "Care plans", "activity-heartbeat", "homecare:careplans:list", "homecare.chronic"),
        MenuItem("我的慢病管理", "My readings", "activity-heartbeat", "homecare:careplans:mine", "own.care"),
    ),
    kinds=tuple(
        Kind(
            f"health.{code}",
            found.text,
            found.text_en,
            _schema(code),
            personal=True,
            purpose="Care of chronic disease: readings of a home device, kept with the patient's record",
            retention_days=3,
            permission=SIGNALS,
        )
        for code, found in KINDS.items()
    ),
    case_kinds=(
        CaseKind(
            "homecare.chronic",
            "慢病照护：读数需要处理",
            "Care plan: a reading needs somebody",
            icon="heartbeat",
            acknowledge_minutes={"critical": 10, "high": 60, "medium": 1440, "low": 2880},
            resolve_minutes={"critical": 120, "high": 480, "medium": 4320, "low": 10080},
            role="care_coordinator",
            escalate_to=("care_coordinator",),
            permission="homecare.chronic",
        ),
    ),
    roles=(
        Role("care_coordinator", "护理调度员", "Care coordinator", frozenset({"homecare.chronic"})),
        Role("nurse", "护士", "Nurse", frozenset({"homecare.chronic", "homecare.plan"})),
        Role(
            "care_physician",
            "居家医疗医生",
            "Home care physician",
            frozenset(
                {
                    "homecare.view",
                    "homecare.care",
                    "homecare.chronic",
                    "homecare.plan",
                    "homecare.doctor",
                    "notices.view",
                }
            ),
        ),
    ),
    acts=(
        ActName("homecare.plan.make", "为您制定了照护计划", "Made a care plan for you"),
        ActName("homecare.plan.change", "更改了您的照护计划", "Changed your care plan"),
        ActName("homecare.plan.end", "结束了您的照护计划", "Ended your care plan"),
        ActName("homecare.plan.restore", "恢复了您的照护计划", "Took your care plan up again"),
        ActName("homecare.plan.look", "查看了您的照护计划和读数", "Looked at your care plan and readings"),
        ActName("homecare.plan.export", "导出了您的照护计划和读数", "Exported your care plans and readings"),
        ActName("homecare.task.done", "记下您完成了一项任务", "Noted that a task of yours was done"),
        ActName("homecare.reading.add", "记下了您的一个读数", "Noted a reading of yours"),
        ActName("homecare.reading.void", "把您的一个读数标为错误", "Marked a reading of yours as wrong"),
        ActName("homecare.finding.open", "发现您的读数需要处理", "Found that a reading of yours needs somebody"),
        ActName("homecare.finding.take", "开始处理您的读数", "Began to deal with a reading of yours"),
        ActName("homecare.finding.close", "处理完您的读数", "Dealt with a reading of yours"),
        ActName("homecare.device.bind", "把一台设备登记为测量您", "Noted that a device measures you"),
        ActName("homecare.device.release", "一台设备不再测量您", "Noted that a device measures you no longer"),
        ActName("homecare.followup.add", "记录了对您的随访", "Noted a follow-up with you"),
        ActName("homecare.handover.send", "把您转给医生", "Handed you over to a doctor"),
        ActName("homecare.handover.look", "查看了您的转诊单", "Looked at the letter by which you were handed over"),
        ActName("homecare.handover.accept", "接收了您的转诊", "Took you over"),
        ActName("homecare.handover.answer", "答复了您的转诊", "Answered the letter by which you were handed over"),
        ActName("homecare.handover.refuse", "退回了您的转诊", "Sent the letter by which you were handed over back"),
        ActName("homecare.handover.withdraw", "撤回了您的转诊", "Withdrew the letter by which you were handed over"),
    ),
)
