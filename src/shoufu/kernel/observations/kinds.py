from shoufu.kernel.base.scene import Kind


def _object(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _choice(*values: str) -> dict[str, object]:
    return {"type": "string", "enum": list(values)}


TEXT = {"type": "string", "maxLength": 200}
SCORE = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}
SECONDS = {"type": "number", "minimum": 0}
MEDIA = {"type": "string", "maxLength": 64}
BOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
HEX = {"type": "string", "pattern": "^[0-9a-f]{2,64}$"}
CLOCK = _choice("synced", "held", "lost")
DOOR_MODE = _choice("Locked", "Unlocked", "Accessed", "Blocked", "LockedDown", "LockedOpen", "DoubleLocked")
DOOR_ALARMS = (
    "forced", "open_warning", "open_too_long", "closed_again", "duress", "antipassback", "tailgating",
    "interlock_fault", "contact_fault", "fire", "fire_input_ended", "fire_reset", "clock_lost", "clock_set",
    "pin_lockout", "tamper", "reader_offline", "reader_online", "reader_insecure", "rules_refused", "storage",
)  # fmt: skip
DOOR_EVENT = {
    "door": COUNT,
    "rules": COUNT,
    "clock": CLOCK,
    "boot": COUNT,
    "sequence": COUNT,
    "late": {"type": "boolean"},
}
"""What every event of a door controller carries: which output (0 is the first), the rule set that decided, how good its
clock was, and its place in the controller's own count (per boot, without a hole)."""
OBJECT = _choice("person", "bicycle", "car", "motorcycle", "bus", "truck", "vehicle")

KERNEL_KINDS = (
    Kind(
        "device.heartbeat", "设备心跳", "Device heartbeat", _object([], uptime=SECONDS, version=TEXT), retention_days=7
    ),
    Kind(
        "device.status",
        "设备在线状态",
        "Device status",
        _object(["state"], state=_choice("online", "offline", "degraded"), reason=TEXT),
        state="state",
    ),
    Kind(
        "door.state",
        "门状态",
        "Door state",
        _object(
            ["state"],
            state=_choice("open", "closed"),
            bolt=_choice("locked", "unlocked", "fault", "unknown"),
            contact=_choice("closed", "open", "fault", "unknown"),
            command=_choice("locked", "released", "unlocked"),
            mode=DOOR_MODE,
            **DOOR_EVENT,
        ),
        state="state",
    ),
    Kind(
        "door.access",
        "通行",
        "Access at a door",
        _object(
            ["granted"],
            granted={"type": "boolean"},
            credential=_choice("card", "pin", "qr", "visitor", "face", "plate", "remote", "button", "unknown"),
            reason=TEXT,
            direction=_choice("in", "out"),
            key=HEX,
            person=COUNT,
            clonable={"type": "boolean"},
            warning=TEXT,
            **DOOR_EVENT,
        ),
        personal=True,
        purpose="Safety of the compound: who passed which door, when",
        retention_days=90,
    ),
    Kind(
        "door.alarm",
        "门报警",
        "Door alarm",
        _object(
            ["alarm"],
            alarm=_choice(*DOOR_ALARMS),
            detail=TEXT,
            cleared={"type": "boolean"},
            **DOOR_EVENT,
        ),
    ),
    Kind(
        "door.duress",
        "胁迫开门",
        "Opened under duress",
        _object(["key"], key=HEX, person=COUNT, credential=TEXT, reason=TEXT, **DOOR_EVENT),
        personal=True,
        purpose="Help for somebody who opens a door under threat",
        retention_days=90,
        permission="doors.duress",
    ),
    Kind(
        "door.controller",
        "门禁控制器",
        "Door controller",
        _object(
            ["rules"],
            rules=COUNT,
            hash=HEX,
            clock=CLOCK,
            offset={"type": "number"},
            boot=COUNT,
            sequence=COUNT,
            waiting=COUNT,
            lease=COUNT,
            uptime=SECONDS,
            software=TEXT,
            reason=TEXT,
            power=_choice("mains", "battery"),
            fire={"type": "boolean"},
            late={"type": "boolean"},
        ),
        retention_days=30,
        state="rules",
    ),
    Kind(
        "door.impossible",
        "一证两门",
        "One credential, two doors",
        _object(["first", "second", "seconds"], first=TEXT, second=TEXT, seconds=SECONDS, metres=SECONDS, key=HEX),
        personal=True,
        purpose="Finding copied cards",
        retention_days=90,
    ),
    Kind(
        "door.stale",
        "规则集过旧",
        "Old rule set",
        _object(["held", "needed", "seconds"], held=COUNT, needed=COUNT, seconds=SECONDS),
        retention_days=30,
    ),
    Kind(
        "camera.status",
        "相机状态",
        "Camera status",
        _object(["state"], state=_choice("online", "offline"), reason=TEXT, fps={"type": "number"}),
        state="state",
    ),
    Kind(
        "camera.tamper",
        "相机画面异常",
        "Camera tampering",
        _object(
            ["tamper"],
            tamper=_choice("clear", "covered", "defocused", "moved", "frozen", "clock"),
            seconds=SECONDS,
            offset={"type": "number"},
            snapshot=MEDIA,
        ),
        state="tamper",
    ),
    Kind(
        "object.count",
        "画面目标数",
        "Objects in view",
        _object(["persons", "vehicles"], persons=COUNT, vehicles=COUNT, snapshot=MEDIA),
        state="persons",
    ),
    Kind(
        "line.crossing",
        "越线",
        "Line crossing",
        _object(
            ["line", "object", "direction"],
            line=TEXT,
            object=OBJECT,
            direction=_choice("in", "out"),
            score=SCORE,
            box=BOX,
            snapshot=MEDIA,
        ),
    ),
    Kind(
        "zone.dwell",
        "区域停留",
        "Dwell in a zone",
        _object(
            ["zone", "object", "seconds"],
            zone=TEXT,
            object=OBJECT,
            seconds=SECONDS,
            score=SCORE,
            box=BOX,
            snapshot=MEDIA,
            clip=MEDIA,
        ),
    ),
    Kind(
        "plate.read",
        "车牌识别",
        "Plate read",
        _object(
            ["plate", "score"],
            plate={"type": "string", "maxLength": 12},
            score=SCORE,
            colour=_choice("blue", "green", "yellow", "white", "black", "unknown"),
            direction=_choice("in", "out"),
            snapshot=MEDIA,
        ),
        personal=True,
        purpose="Vehicle access to the compound",
        retention_days=30,
    ),
    Kind(
        "environment.reading",
        "环境读数",
        "Environment reading",
        _object(
            ["quantity", "value"],
            quantity=_choice("temperature", "humidity", "smoke", "noise", "pm25", "water_level"),
            value={"type": "number"},
            unit={"type": "string", "maxLength": 16},
        ),
    ),
    Kind(
        "presence.motion",
        "有人活动",
        "Motion",
        _object(["active"], active={"type": "boolean"}),
        personal=True,
        purpose="Welfare watch, only with the resident's consent",
        retention_days=60,
        state="active",
    ),
)
