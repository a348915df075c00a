from shoufu.kernel.base.scene import ActName, MenuItem, Part, Role

part = Part(
    menu=(MenuItem("我的居家护理", "My home care", "heart-rate-monitor", "homecare:assessment:mine", "own.care"),),
    roles=(Role("nurse", "护士", "Nurse", frozenset({"homecare.assess"})),),
    acts=(
        ActName("homecare.assessment.open", "开始了居家护理评估", "Began an assessment for home care"),
        ActName("homecare.assessment.look", "查看了您的评估", "Looked at an assessment of yours"),
        ActName("homecare.assessment.answer", "填写了您的评估问卷", "Filled in a questionnaire of your assessment"),
        ActName("homecare.assessment.decide", "对您的评估作出了决定", "Decided on your assessment"),
        ActName("homecare.assessment.cancel", "取消了您的评估", "Cancelled an assessment of yours"),
        ActName("homecare.assessment.why_not", "查看了谁可以为您上门", "Looked up who may come to you"),
    ),
)
