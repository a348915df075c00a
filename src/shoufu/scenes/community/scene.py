from shoufu.kernel.base.scene import CaseKind, Derivation, Kind, RuleTemplate, Scene
from shoufu.scenes.community.patrols.scene import part as patrols
from shoufu.scenes.community.resident.scene import part as resident
from shoufu.scenes.community.vehicles.scene import part as vehicles
from shoufu.scenes.community.visitors.scene import part as visitors
from shoufu.scenes.community.welfare.scene import part as welfare

PASSAGE = {
    "type": "object",
    "properties": {
        "plate": {"type": "string", "maxLength": 12},
        "class": {
            "type": "string",
            "enum": ["registered", "white", "visitor", "emergency", "watch", "similar", "unknown"],
        },
        "like": {"type": "string", "maxLength": 12},
        "direction": {"type": "string", "enum": ["in", "out"]},
        "snapshot": {"type": "string", "maxLength": 64},
    },
    "required": ["plate", "class"],
    "additionalProperties": False,
}

scene = Scene(
    code="community",
    name="智慧社区防控",
    name_en="Community safety",
    group="governance",
    parts=(visitors, vehicles, patrols, welfare, resident),
    urls="shoufu.scenes.community.urls",
    kinds=(
        Kind(
            "vehicle.passage",
            "车辆通行",
            "Vehicle passage",
            PASSAGE,
            personal=True,
            purpose="Vehicle access to the compound",
            retention_days=30,
        ),
    ),
    derivations=(Derivation(("plate.read",), "shoufu.scenes.community.passages.vehicle_passages"),),
    demo="shoufu.scenes.community.demo.load",
    case_kinds=(
        CaseKind("door.forced", "门被强行打开", "Door forced", icon="door"),
        CaseKind("door.held_open", "门长时间未关", "Door held open", icon="door-enter"),
        CaseKind("yard.after_hours", "夜间院内有人", "Person in the yard after hours", icon="walk"),
        CaseKind("gate.on_foot", "行人走车道", "On foot in the vehicle lane", icon="walk"),
        CaseKind("camera.tampered", "摄像机被遮挡或移动", "Camera covered or moved", icon="camera-off"),
        CaseKind("vehicle.unknown", "未登记车辆入场", "Unknown vehicle at the gate", icon="car"),
    ),
    rule_templates=(
        RuleTemplate(
            "door_held_open",
            "门长时间未关",
            "Door held open",
            {
                "kinds": ["door.state"],
                "where": "result.state == 'open'",
                "key": "device",
                "pattern": {"type": "dwell", "for": 60, "until": "result.state == 'closed'"},
                "cooldown": 300,
                "severity": "medium",
                "case": {"kind": "door.held_open"},
                "notify": ["guard"],
            },
        ),
        RuleTemplate(
            "door_forced",
            "门被强行打开",
            "Door forced",
            {
                "kinds": ["door.alarm"],
                "where": "result.alarm == 'forced'",
                "key": "device",
                "pattern": {"type": "match"},
                "cooldown": 60,
                "severity": "critical",
                "case": {"kind": "door.forced"},
                "notify": ["guard", "property_manager"],
            },
        ),
        RuleTemplate(
            "yard_after_hours",
            "夜间院内有人停留",
            "Person in the yard after hours",
            {
                "kinds": ["zone.dwell"],
                "where": "result.object == 'person' && result.seconds >= 10.0",
                "key": "device",
                "schedule": {"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "to": "05:30"},
                "pattern": {"type": "match"},
                "cooldown": 900,
                "severity": "high",
                "case": {"kind": "yard.after_hours"},
                "notify": ["guard"],
            },
        ),
        RuleTemplate(
            "gate_on_foot",
            "行人走车道",
            "On foot in the vehicle lane",
            {
                "kinds": ["line.crossing"],
                "where": "result.object == 'person' && result.line == '入口线'",
                "key": "device",
                "pattern": {"type": "match"},
                "cooldown": 600,
                "severity": "low",
                "case": {"kind": "gate.on_foot"},
                "notify": ["guard"],
            },
        ),
        RuleTemplate(
            "camera_tampered",
            "摄像机被遮挡、移动或画面冻结",
            "Camera covered, moved or frozen",
            {
                "kinds": ["camera.tamper"],
                "where": "result.tamper != 'clear'",
                "key": "device",
                "pattern": {"type": "match"},
                "cooldown": 900,
                "severity": "high",
                "case": {"kind": "camera.tampered"},
                "notify": ["guard"],
            },
        ),
        RuleTemplate(
            "vehicle_unknown",
            "未登记车辆入场",
            "Unknown vehicle at the gate",
            {
                "kinds": ["vehicle.passage"],
                "where": "result.class == 'unknown'",
                "key": "device+feature",
                "pattern": {"type": "match"},
                "cooldown": 600,
                "severity": "low",
                "case": {"kind": "vehicle.unknown"},
                "notify": ["guard"],
            },
        ),
    ),
)
