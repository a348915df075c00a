from shoufu.kernel.base.scene import ActName, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("居家护理", "Home care", "heartbeat", "homecare:register:home", "homecare.view"),),
    roles=(
        Role(
            "care_coordinator",
            "护理调度员",
            "Care coordinator",
            frozenset({"homecare.view", "homecare.patients", "homecare.manage", "places.view", "notices.view"}),
        ),
        Role("nurse", "护士", "Nurse", frozenset({"homecare.view", "homecare.care", "notices.view"})),
        Role("resident", "居民", "Resident", frozenset({"own.care"})),
    ),
    acts=(
        ActName("homecare.practitioner.add", "登记您为上门护理人员", "Registered you as one who gives home care"),
        ActName("homecare.practitioner.change", "更改了您的执业资料", "Changed what is noted of your practice"),
        ActName("homecare.practitioner.verify", "核验了您的执业证书", "Verified your licence"),
        ActName("homecare.practitioner.suspend", "暂停您上门服务", "Suspended you from home visits"),
        ActName("homecare.practitioner.resume", "恢复您上门服务", "Let you make home visits again"),
        ActName("homecare.practitioner.left", "登记您已离开机构", "Noted that you left the institution"),
        ActName("homecare.practitioner.shift", "更改了您的班次", "Changed your shifts"),
        ActName("homecare.practitioner.absence", "登记了您的缺勤", "Noted an absence of yours"),
        ActName("homecare.practitioner.portray", "换上了您给患者看的照片", "Put up your portrait for patients"),
        ActName("homecare.practitioner.unportray", "撤下了您给患者看的照片", "Took your portrait for patients down"),
        ActName("homecare.patient.add", "登记您接受居家护理", "Registered you for home care"),
        ActName("homecare.patient.change", "更改了您的居家护理资料", "Changed your home care data"),
        ActName("homecare.patient.look", "查看了您的健康资料和上门须知", "Looked at your health data and access notes"),
        ActName("homecare.patient.assign", "指定了负责您的护理人员", "Chose who cares for you"),
        ActName("homecare.patient.end", "结束了您的居家护理", "Ended your home care"),
        ActName("homecare.patient.restore", "恢复了您的居家护理", "Took your home care up again"),
    ),
)
