from shoufu.kernel.base.scene import ActName, CaseKind, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("上门手机端", "Nurse's phone", "device-mobile", "homecare:encounters:phone", "homecare.care"),),
    case_kinds=(
        CaseKind(
            "homecare.sos",
            "上门护理人员求助",
            "Nurse calls for help",
            icon="sos",
            acknowledge_minutes={"critical": 1, "high": 2, "medium": 5, "low": 10},
            resolve_minutes={"critical": 20, "high": 30, "medium": 60, "low": 120},
            role="guard",
            escalate_to=("operator", "duty_officer"),
        ),
        CaseKind(
            "homecare.overdue",
            "上门护理逾期未签到或签退",
            "Nurse did not check in or out",
            icon="clock-exclamation",
            acknowledge_minutes={"critical": 5, "high": 10, "medium": 20, "low": 60},
            resolve_minutes={"critical": 30, "high": 60, "medium": 120, "low": 240},
            role="care_coordinator",
            escalate_to=("care_coordinator", "operator"),
            permission="homecare.overdue",
        ),
    ),
    roles=(
        Role("care_coordinator", "护理调度员", "Care coordinator", frozenset({"homecare.overdue"})),
        Role("operator", "运行值班员", "Operator", frozenset({"homecare.overdue"})),
    ),
    acts=(
        ActName("homecare.encounter.check_in", "到达您家并签到", "Checked in at your home"),
        ActName("homecare.encounter.check_out", "离开您家并签退", "Checked out at your home"),
        ActName("homecare.encounter.missed", "记录上门未能进行", "Noted why a visit could not take place"),
        ActName("homecare.encounter.write", "写了您的上门记录", "Wrote in the record of your visit"),
        ActName("homecare.encounter.photo", "在您家拍了照片", "Took a picture at your home"),
        ActName("homecare.encounter.photo_kept", "保存了在您家拍的照片", "Kept a picture from your home"),
        ActName("homecare.encounter.conflict", "上门记录与安排有冲突", "A record of your visit did not fit the plan"),
        ActName("homecare.encounter.settle", "处理了上门记录的冲突", "Settled what did not fit in a record"),
        ActName("homecare.encounter.look", "查看了您的上门记录", "Looked at the record of your visit"),
        ActName("homecare.encounter.look_photo", "查看了在您家拍的照片", "Looked at a picture from your home"),
        ActName(
            "homecare.encounter.finish_without", "结束了未完成的双人上门", "Ended a visit without the second person"
        ),
        ActName("homecare.encounter.trace", "记录了您上门期间的轨迹", "Kept your way during a visit"),
        ActName("homecare.encounter.look_trace", "查看了您上门期间的轨迹", "Looked at your way during a visit"),
        ActName("homecare.encounter.overdue", "发现您逾期未签到或签退", "Noted that you did not check in or out"),
        ActName("homecare.phone.enrol", "登记了您的上门手机", "Registered your phone for home visits"),
        ActName("homecare.sos", "您发出了求助", "You called for help"),
        ActName("homecare.sos.look", "查看了您的求助和电话", "Looked at your call for help and phone number"),
    ),
)
