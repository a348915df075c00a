from shoufu.kernel.base.scene import ActName, CaseKind, MenuItem, Part, Role

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
    acts=(
        ActName("visitors.invite", "邀请了访客", "Invited a visitor"),
        ActName("visitors.answer", "答复了门岗的询问", "Answered the gate about a visitor"),
        ActName("visitors.new_link", "更换了访客链接", "Made a new link for a visitor"),
        ActName("visitors.withdraw", "撤回了邀请", "Withdrew an invitation"),
        ActName("visitors.plate", "登记了访客的车牌", "Noted a visitor’s number plate"),
        ActName("visitors.check", "核对了您访客的通行码", "Checked the code of your visitor"),
        ActName("visitors.check_in", "让您的访客进入", "Let your visitor in"),
        ActName("visitors.check_out", "记下您的访客已离开", "Noted that your visitor left"),
        ActName("visitors.passed", "您的访客通过了门", "Your visitor passed a door"),
        ActName("visitors.left", "说明访客已离开", "Said that a visitor has left"),
        ActName("visitors.longer", "让访客多留一会儿", "Let a visitor stay longer"),
        ActName("visitors.over", "结束了一次来访", "Ended a visit"),
        ActName("visitors.overstay", "上报访客超时未离开", "Reported that a visitor stayed too long"),
        ActName("visitors.remind", "询问访客是否已离开", "Asked whether your visitor has left"),
        ActName("visitors.look_phone", "查看了访客的电话", "Looked at the phone number of your visitor"),
        ActName("visitors.walk_in", "登记了来找您的访客", "Registered a visitor who came to you"),
        ActName("visitors.delivery", "登记了送到您家的快递或外卖", "Registered a delivery to your home"),
    ),
)
