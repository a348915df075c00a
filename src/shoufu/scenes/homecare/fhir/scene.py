from shoufu.kernel.base.scene import ActName, Part, Role

RIGHTS = frozenset({"homecare.fhir.read", "homecare.fhir.write", "homecare.fhir.export"})

part = Part(
    roles=(
        Role("care_coordinator", "护理调度员", "Care coordinator", RIGHTS),
        Role(
            "care_integrator",
            "护理数据对接",
            "Care integrator",
            RIGHTS | {"homecare.view", "homecare.patients", "homecare.chronic", "places.view"},
        ),
    ),
    acts=(
        ActName("homecare.fhir.look", "由其他系统读取了您的护理资料", "Another program read care data of yours"),
        ActName(
            "homecare.fhir.search",
            "其他系统检索时核对了您的护理资料",
            "Another program searched, and care data of yours was compared",
        ),
        ActName("homecare.fhir.create", "其他系统写入了您的护理资料", "Another program wrote care data of yours"),
        ActName("homecare.fhir.update", "其他系统更改了您的护理资料", "Another program changed care data of yours"),
        ActName("homecare.fhir.delete", "其他系统删除了您的护理资料", "Another program deleted care data of yours"),
        ActName("homecare.fhir.export", "批量导出了您的护理资料", "Exported care data of yours with others'"),
    ),
)
