from shoufu.kernel.base.scene import ActName, Part

part = Part(
    acts=(
        ActName("homecare.visit.begin", "开始为您上门服务", "Began a visit at your home"),
        ActName("homecare.visit.finish", "完成了为您的上门服务", "Finished a visit at your home"),
        ActName("homecare.visit.miss", "登记上门服务未能进行", "Noted that a visit could not take place"),
    ),
)
