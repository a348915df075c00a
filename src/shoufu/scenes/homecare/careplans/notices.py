"""What is told of readings, follow-ups and handovers."""

from shoufu.kernel.base.scene import NoticeWords

NOTICES = (
    NoticeWords(
        "chronic.finding",
        "{name}的读数需要您看",
        "{place}，{time}，{severity}。请在“慢病照护”里处理。",
        "A reading of {name} needs you",
        "{place}, {time}, {severity}. Deal with it under “Care plans”.",
    ),
    NoticeWords(
        "chronic.remind",
        "{name}：今天还没做完",
        "还没做：{tasks}。做完后在“我的慢病管理”里记下。",
        "{name}: still to do today",
        "Still to do: {tasks}. Note it under “My readings”.",
    ),
    NoticeWords(
        "chronic.due",
        "有 {count} 位患者该随访了",
        "{place}。请在“慢病照护”里查看到期的随访。",
        "Follow-ups due: {count}",
        "{place}. See under “Care plans” whom to ask.",
    ),
    NoticeWords(
        "chronic.handover",
        "转给您：{name}{urgency}",
        "{place}，{time}。请在“慢病照护·转诊”里接收。",
        "Handed over to you: {name} {urgency}",
        "{place}, {time}. Accept it under “Care plans”, “Handovers”.",
    ),
    NoticeWords(
        "chronic.answered",
        "医生已答复：{name}",
        "{place}，{time}。请在“慢病照护·转诊”里查看。",
        "A doctor answered: {name}",
        "{place}, {time}. Read it under “Care plans”, “Handovers”.",
    ),
)
