from shoufu.kernel.base.scene import CaseKind, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("我的家", "My home", "home", "community:resident:home", "own.request"),),
    case_kinds=(
        CaseKind("resident.repair", "居民报修", "Repair asked for", icon="tool", role="property_manager"),
        CaseKind("resident.complaint", "居民投诉", "Complaint", icon="message-report", role="property_manager"),
        CaseKind(
            "resident.sos",
            "居民求助",
            "Resident calls for help",
            icon="sos",
            acknowledge_minutes={"critical": 1, "high": 2, "medium": 5, "low": 10},
            resolve_minutes={"critical": 20, "high": 30, "medium": 60, "low": 120},
            role="guard",
        ),
    ),
    roles=(
        Role("resident", "居民", "Resident", frozenset({"own.view", "own.request", "own.door"})),
        Role("property_manager", "物业经理", "Property manager", frozenset({"resident.manage"})),
    ),
)
