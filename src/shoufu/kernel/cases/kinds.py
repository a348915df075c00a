from shoufu.kernel.base.scene import CaseKind

KERNEL_CASE_KINDS = (
    CaseKind("device.offline", "设备离线", "Device offline", icon="plug-connected-x", role="property_manager"),
    CaseKind("camera.offline", "相机离线", "Camera offline", icon="video-off", role="property_manager"),
    CaseKind("manual", "人工上报", "Reported by a person", icon="pencil"),
    CaseKind("privacy.request", "个人信息请求", "Request about personal data", icon="eye", role="property_manager"),
    CaseKind("referral.unreachable", "报警线路中断", "Alarm line down", icon="phone-off", role="operator"),
)
