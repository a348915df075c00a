"""What is told of ratings, complaints, adverse events, refusals, bars and appeals."""

from shoufu.kernel.base.scene import NoticeWords

NOTICES = (
    NoticeWords(
        "care.rating.low",
        "收到低分评价：{number}",
        "{office}。请在“护理质量·评价”里查看。",
        "A low rating: {number}",
        "{office}. See under “Care quality”, “Ratings”.",
    ),
    NoticeWords(
        "care.complaint.new",
        "投诉待答复：{number}",
        "{office}。请在 {by} 前书面答复。",
        "To be answered: {number}",
        "{office}. Answer in writing by {by}.",
    ),
    NoticeWords(
        "care.complaint.step",
        "您的投诉有进展：{number}",
        "{office}。请在“评价与投诉”里查看。",
        "News of your complaint {number}",
        "{office}. Read it under “Ratings and complaints”.",
    ),
    NoticeWords(
        "care.complaint.escalated",
        "投诉已转监管部门：{number}",
        "{office}。请在“护理质量·投诉”里查看。",
        "A complaint came to the regulator: {number}",
        "{office}. See under “Care quality”, “Complaints”.",
    ),
    NoticeWords(
        "care.complaint.ruled",
        "监管部门已处理投诉：{number}",
        "{office}。请查看处理意见。",
        "The regulator ruled on {number}",
        "{office}. Read what was decided.",
    ),
    NoticeWords(
        "care.incident.new",
        "不良事件上报：{number}（{grade} 级）",
        "{office}。请跟进并由他人办结。",
        "Adverse event {number}, grade {grade}",
        "{office}. Follow it up; somebody else closes it.",
    ),
    NoticeWords(
        "care.incident.serious",
        "严重不良事件：{number}（{grade} 级）",
        "{office}。请立即查看并处置。",
        "Serious adverse event {number}, grade {grade}",
        "{office}. Look at it and act now.",
    ),
    NoticeWords(
        "care.refusal.new",
        "有人拒绝上门：{number}",
        "{office}。已排的 {count} 次上门需要另行安排。",
        "A refusal: {number}",
        "{office}. Visits that are planned and need somebody else: {count}.",
    ),
    NoticeWords(
        "care.bar.proposed",
        "提议列入名单：{number}",
        "{office}。须由提议人以外的人决定。",
        "An entry was proposed: {number}",
        "{office}. Somebody else than who proposed it decides.",
    ),
    NoticeWords(
        "care.bar.patient",
        "关于为您上门：{number}",
        "{office}。请在“评价与投诉”里查看理由，您可以申诉。急救不受影响。",
        "About visits to you: {number}",
        "{office}. Read the reason under “Ratings and complaints”; you can appeal. Emergency care goes on as always.",
    ),
    NoticeWords(
        "care.bar.review",
        "名单到复核日：{number}",
        "{office}。请复核是否仍有必要。",
        "To be reviewed: {number}",
        "{office}. See whether the entry is still needed.",
    ),
    NoticeWords(
        "care.sanction",
        "关于您的上门资格：{number}",
        "{office}。请在“护理质量”里查看，您可以申诉。",
        "About your home visits: {number}",
        "{office}. Read it under “Care quality”; you can appeal.",
    ),
    NoticeWords(
        "care.appeal.new",
        "有申诉：{number}",
        "{office}。须由未参与决定的人答复。",
        "An appeal: {number}",
        "{office}. Somebody who had no part in it answers.",
    ),
    NoticeWords(
        "care.appeal.late",
        "申诉逾期未答复：{number}",
        "{office}。请监管部门查看。",
        "An appeal is overdue: {number}",
        "{office}. It waits for an answer.",
    ),
)
