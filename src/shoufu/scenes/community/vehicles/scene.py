from shoufu.kernel.base.scene import ActName, CaseKind, Figure, MenuItem, Part, Role, RuleTemplate


def _inside(actor: object, path: str) -> float:
    from shoufu.scenes.community.vehicles.selectors import cars_inside

    return cars_inside(actor, path)


SEES = frozenset({"vehicles.view"})
GUARDS = SEES | {"vehicles.guard"}
FOUR_WHEELS = "result.object in ['car', 'truck', 'bus', 'vehicle']"

part = Part(
    menu=(MenuItem("车辆", "Vehicles", "car", "community:vehicles:gate", "vehicles.view"),),
    case_kinds=(
        CaseKind("vehicle.watched", "布控车辆出现", "Watched vehicle", icon="eye", role="guard"),
        CaseKind("vehicle.overstay", "访客车超时停放", "Guest's car overstays", icon="clock-exclamation", role="guard"),
        CaseKind("fire_lane.blocked", "消防通道被占", "Fire lane blocked", icon="firetruck", role="guard"),
        CaseKind("cycle.indoors", "疑似电动车进楼", "Two-wheeler indoors", icon="motorbike", role="guard"),
    ),
    rule_templates=(
        RuleTemplate(
            "fire_lane_blocked",
            "消防通道被占",
            "Fire lane blocked",
            {
                "kinds": ["zone.dwell"],
                "where": f"{FOUR_WHEELS} && result.zone in ['消防通道', 'Fire lane'] && result.seconds >= 120.0",
                "key": "device",
                "pattern": {"type": "match"},
                "cooldown": 900,
                "severity": "high",
                "case": {"kind": "fire_lane.blocked"},
                "notify": ["guard"],
            },
            sentence="车辆在名为“消防通道”的区域停留 2 分钟",
            sentence_en="A vehicle stays for 2 minutes in a zone named “Fire lane”",
        ),
        RuleTemplate(
            "cycle_indoors",
            "疑似电动车进电梯或楼道",
            "Two-wheeler in a lift or stairwell",
            {
                "kinds": ["zone.dwell"],
                "where": "result.object in ['bicycle', 'motorcycle'] && result.zone in "
                "['电梯', '楼道', 'Lift', 'Stairwell'] && result.seconds >= 3.0",
                "key": "device",
                "pattern": {"type": "match"},
                "cooldown": 300,
                "severity": "medium",
                "case": {"kind": "cycle.indoors"},
                "notify": ["guard"],
            },
            sentence="名为“电梯”或“楼道”的区域里有两轮车；分不清电动车和自行车",
            sentence_en="A two-wheeler in a zone named “Lift” or “Stairwell”; it cannot tell electric ones apart",
        ),
    ),
    roles=(
        Role("guard", "保安", "Guard", GUARDS),
        Role("property_manager", "物业经理", "Property manager", GUARDS | {"vehicles.manage"}),
        Role("administrator", "系统管理员", "Administrator", GUARDS | {"vehicles.manage"}),
        Role("operator", "运行值班员", "Operator", SEES),
    ),
    figures=(Figure("cars_inside", "在场车辆", "Cars inside", _inside, "辆", "/community/vehicles/parking/"),),
    acts=(ActName("vehicles.add_entry", "把您的车加入名单", "Put your car on a list"),),
)
