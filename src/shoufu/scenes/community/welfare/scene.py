from shoufu.kernel.base.scene import CaseKind, Kind, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("平安关怀", "Welfare checks", "heart-rate-monitor", "community:welfare:desk", "welfare.view"),),
    kinds=(
        Kind(
            "home.activity",
            "家中动静",
            "Activity at home",
            {
                "type": "object",
                "properties": {
                    "signal": {"type": "string", "enum": ["motion", "door", "appliance", "water", "bed", "other"]}
                },
                "required": ["signal"],
                "additionalProperties": False,
            },
            personal=True,
            purpose="Welfare watch, only with the resident's consent; nobody reads the single signals",
            retention_days=3,
            # No role has this right: the watch reads them, and people see what it says.
            permission="welfare.signals",
        ),
    ),
    case_kinds=(
        CaseKind(
            "welfare.check",
            "平安关怀：请上门看望",
            "Welfare check: look in",
            icon="heartbeat",
            acknowledge_minutes={"critical": 2, "high": 5, "medium": 10, "low": 10},
            resolve_minutes={"critical": 30, "high": 60, "medium": 60, "low": 60},
            role="guard",
        ),
    ),
    roles=(
        Role(
            "community_worker",
            "社区工作者",
            "Community worker",
            frozenset({"welfare.view", "welfare.visit", "notices.view"}),
        ),
        Role("guard", "保安", "Guard", frozenset({"welfare.view", "welfare.door"})),
        Role(
            "property_manager",
            "物业经理",
            "Property manager",
            frozenset({"welfare.view", "welfare.visit", "welfare.door", "welfare.manage"}),
        ),
    ),
)
