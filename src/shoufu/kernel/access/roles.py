from shoufu.kernel.base.scene import Role

VIEW = frozenset(
    {
        "places.view",
        "devices.view",
        "doors.view",
        "observations.view",
        "cases.view",
        "rules.view",
        "media.view",
        "notices.view",
        "booking.view",
        "booking.book",
    }
)
HANDLE = frozenset(
    {
        "cases.handle",
        "devices.command",
        "doors.command",
        "doors.admit",
        "referrals.view",
        "referrals.send",
        "booking.handle",
    }
)
EVIDENCE = frozenset({"evidence.export", "evidence.hold"})
SELL = frozenset({"payments.view", "payments.order"})
MONEY = SELL | {"payments.confirm", "payments.refund", "payments.reconcile", "payments.settle"}
MANAGE = frozenset(
    {
        "places.manage",
        "parties.view",
        "parties.manage",
        "devices.manage",
        "doors.manage",
        "rules.manage",
        "notices.manage",
        "access.view",
        "privacy.manage",
        "referrals.manage",
        "booking.manage",
    }
    | EVIDENCE
    | MONEY
)
# An officer of another organisation sees the cases that were sent there, and nothing else of the place.
ALARM = frozenset({"referrals.receive", "notices.view", "doors.duress"})

KERNEL_ROLES = (
    Role(
        "administrator",
        "系统管理员",
        "Administrator",
        VIEW | HANDLE | MANAGE | ALARM | {"access.manage", "audit.view", "evidence.unblurred"},
    ),
    Role(
        "operator",
        "运行值班员",
        "Operator",
        VIEW
        | HANDLE
        | EVIDENCE
        | {"evidence.unblurred", "parties.view", "rules.manage", "audit.view", "referrals.manage"},
    ),
    Role("property_manager", "物业经理", "Property manager", VIEW | HANDLE | MANAGE),
    Role("guard", "保安", "Guard", VIEW | HANDLE - {"rules.view"}),
    Role("accountant", "财务", "Accountant", frozenset({"places.view"}) | MONEY),
    Role("alarm_officer", "接警中心值班员", "Alarm centre duty officer", ALARM),
    Role("auditor", "审计员", "Auditor", frozenset({"places.view", "audit.view", "access.view"})),
    Role("resident", "居民", "Resident", frozenset({"own.view", "notices.view", "booking.book"})),
)
