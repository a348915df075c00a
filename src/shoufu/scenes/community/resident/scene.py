from shoufu.kernel.base.scene import ActName, CaseKind, MenuItem, Part, Role

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
    acts=(
        ActName("resident.ask", "提交了报修或投诉", "Sent a repair or complaint"),
        ActName("resident.sos", "求助", "Called for help"),
        ActName("resident.add_contact", "添加了联系人", "Added a contact"),
        ActName("resident.remove_contact", "移除了联系人", "Removed a contact"),
        ActName("resident.open_door", "远程打开了门", "Opened a door from afar"),
    ),
)
