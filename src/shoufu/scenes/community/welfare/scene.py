from shoufu.kernel.base.scene import ActName, CaseKind, Kind, MenuItem, Part, Role

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
    acts=(
        ActName("welfare.look", "查看了平安关怀中该给您的谁打电话", "Saw whom to call for you in a welfare check"),
        ActName("welfare.begin", "询问您是否平安", "Asked you whether you are well"),
        ActName("welfare.step", "平安关怀进入下一步", "Went on with a welfare check"),
        ActName("welfare.answer", "答复了您的平安关怀", "Answered a welfare check of yours"),
        ActName("welfare.end", "结束了一次平安关怀", "Ended a welfare check"),
        ActName("welfare.join", "登记您参加平安关怀", "Registered that you joined the welfare watch"),
        ActName(
            "welfare.stop", "结束您的平安关怀，并忘掉学到的内容", "Ended your welfare watch and forgot what was learned"
        ),
        ActName("welfare.pause", "暂停了您的平安关怀", "Paused your welfare watch"),
        ActName("welfare.unpause", "恢复了您的平安关怀", "Resumed your welfare watch"),
        ActName("welfare.mode", "更改了平安关怀的方式", "Changed how the welfare watch works for you"),
        ActName("welfare.press", "记下您报了平安", "Noted that you said you are fine"),
        ActName("welfare.sensors", "更改了平安关怀使用的传感器", "Changed which sensors the welfare watch uses"),
        ActName("welfare.add_helper", "添加了平安关怀联系人", "Added somebody to ask in a welfare check"),
        ActName("welfare.remove_helper", "移除了平安关怀联系人", "Removed somebody to ask in a welfare check"),
        ActName("welfare.worker", "更改了负责看望您的社区工作者", "Changed the community worker who looks in"),
        ActName("welfare.deaf", "发现家中传感器没有信号", "Noticed that the sensors in your home are not heard"),
    ),
)
