from shoufu.kernel.base.scene import CaseKind, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("访客", "Visitors", "user-plus", "community:visitors:desk", "visitors.view"),),
    case_kinds=(
        CaseKind(
            "visitor.overstay", "访客超时未离开", "Visitor stayed too long", icon="user-exclamation", role="guard"
        ),
        CaseKind(
            "visitor.guessing",
            "有人在试访客链接",
            "Visitor links are being guessed",
            icon="shield-lock",
            role="property_manager",
        ),
    ),
    roles=(
        Role("guard", "保安", "Guard", frozenset({"visitors.view", "visitors.handle"})),
        Role(
            "property_manager",
            "物业经理",
            "Property manager",
            frozenset({"visitors.view", "visitors.handle", "visitors.manage"}),
        ),
        Role("operator", "运行值班员", "Operator", frozenset({"visitors.view"})),
        Role("resident", "居民", "Resident", frozenset({"own.invite"})),
    ),
)
