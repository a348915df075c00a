from shoufu.kernel.base.scene import CaseKind, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("巡更与交接班", "Patrols and shifts", "route", "community:patrols:today", "patrols.view"),),
    case_kinds=(
        CaseKind("patrol.missed", "巡更漏巡", "Patrol missed", icon="route-off", role="guard"),
        CaseKind("patrol.incomplete", "巡更未走完", "Patrol incomplete", icon="route-off", role="guard"),
    ),
    roles=(
        Role("guard", "保安", "Guard", frozenset({"patrols.view", "patrols.walk"})),
        Role(
            "property_manager",
            "物业经理",
            "Property manager",
            frozenset({"patrols.view", "patrols.walk", "patrols.manage"}),
        ),
        Role("operator", "运行值班员", "Operator", frozenset({"patrols.view"})),
    ),
)
