from collections.abc import Mapping
from dataclasses import dataclass

from shoufu.kernel.notices.models import Template

SEVERITY = {
    "zh-hans": {"critical": "紧急", "high": "较高", "medium": "一般", "low": "较低"},
    "en": {"critical": "critical", "high": "high", "medium": "medium", "low": "low"},
}


@dataclass(frozen=True)
class Words:
    subject: str
    body: str


BUILT_IN: Mapping[tuple[str, str], Words] = {
    ("case.raised", "zh-hans"): Words("新事件：{title}", "{place}，{time}，{severity}。编号 {number}。"),
    ("case.raised", "en"): Words("New case: {title}", "{place}, {time}, {severity}. Number {number}."),
    ("case.dispatched", "zh-hans"): Words(
        "派给您：{title}", "{place}，{time}，{severity}。编号 {number}。请前往处置。"
    ),
    ("case.dispatched", "en"): Words(
        "Sent to you: {title}", "{place}, {time}, {severity}. Number {number}. Please go there."
    ),
    ("case.escalated", "zh-hans"): Words(
        "超时升级：{title}", "{place}，{time}，{severity}。编号 {number} 已超过时限。"
    ),
    ("case.escalated", "en"): Words(
        "Overdue: {title}", "{place}, {time}, {severity}. Number {number} is past its time limit."
    ),
    ("visitor.asks", "zh-hans"): Words("{visitor}在门岗，可以进吗？", "到{home}，事由：{reason}。请在手机上回答。"),
    ("visitor.asks", "en"): Words(
        "{visitor} is at the gate. Let in?", "To {home}, reason: {reason}. Please answer on your phone."
    ),
    ("visitor.delivery", "zh-hans"): Words("{visitor}正送到{home}", "{time} 进门，请收一下。"),
    ("visitor.delivery", "en"): Words("{visitor} on the way to {home}", "Let in at {time}."),
    ("visitor.arrived", "zh-hans"): Words("访客{visitor}已到", "{time} 到，去{home}。"),
    ("visitor.arrived", "en"): Words("{visitor} has come", "At {time}, to {home}."),
    ("visitor.still_here", "zh-hans"): Words(
        "访客{visitor}走了吗？", "约定到 {until}。请在“访客”里点“已离开”或“再留一会”。"
    ),
    ("visitor.still_here", "en"): Words(
        "Has {visitor} left?", "Expected until {until}. Say “has left” or “stays longer” under Visitors."
    ),
    ("resident.sos", "zh-hans"): Words("{name}求助", "{time}，{home}。物业已收到，请马上联系。"),
    ("resident.sos", "en"): Words(
        "{name} calls for help", "{time}, {home}. The office knows. Please get in touch now."
    ),
    ("welfare.ask", "zh-hans"): Words(
        "您还好吗？", "家里比平时安静。请点“我很好”。{minutes} 分钟内没有回答，会去问您指定的人。"
    ),
    ("welfare.ask", "en"): Words(
        "Are you well?",
        "Your home is quieter than usual. Please press “I am fine”. Without an answer in {minutes} min, the people "
        "whom you named are asked.",
    ),
    ("welfare.contact", "zh-hans"): Words(
        "请联系{name}", "{home}比平时安静，本人没有回答。请打电话或去看看，再在手机上回答。"
    ),
    ("welfare.contact", "en"): Words(
        "Please get in touch with {name}",
        "{home} is quieter than usual and they did not answer. Call or look in, then answer on your phone.",
    ),
    ("welfare.worker", "zh-hans"): Words("请看望{name}", "{home}，{time}。请在“平安关怀”里回答。"),
    ("welfare.worker", "en"): Words("Please look in on {name}", "{home}, {time}. Answer under “Welfare checks”."),
    ("welfare.ended", "zh-hans"): Words("{name}：关怀已结束", "{time}，{outcome}。谢谢您。"),
    ("welfare.ended", "en"): Words("{name}: the check has ended", "{time}: {outcome}. Thank you."),
    ("welfare.deaf", "zh-hans"): Words(
        "平安关怀听不到传感器", "{home}从 {time} 起没有信号。这段时间家里出事不会被发现，请物业检查。"
    ),
    ("welfare.deaf", "en"): Words(
        "The welfare watch hears no sensor",
        "{home} has been silent since {time}. Until it is mended nobody would notice; the office has to look at it.",
    ),
    ("referral.alert", "zh-hans"): Words("请接警：{title}", "{place}，{time}，{severity}。转报编号 {number}。"),
    ("referral.alert", "en"): Words("For you: {title}", "{place}, {time}, {severity}. Referral {number}."),
    ("referral.update", "zh-hans"): Words("有变化：{title}", "转报 {number} 的事件有变化，请查看。"),
    ("referral.update", "en"): Words("Changed: {title}", "The case of referral {number} has changed; have a look."),
    ("referral.cancel", "zh-hans"): Words("已撤回：{title}", "转报 {number} 已撤回，无需处置。"),
    ("referral.cancel", "en"): Words("Withdrawn: {title}", "Referral {number} was withdrawn; nothing is to be done."),
    ("referral.late", "zh-hans"): Words(
        "{to}尚未签收：{title}", "{place}，{severity}。转报 {number} 已过约定时间，请电话联系。"
    ),
    ("referral.late", "en"): Words(
        "Not received by {to}: {title}", "{place}, {severity}. Referral {number} is past the time agreed; call them."
    ),
    ("referral.undelivered", "zh-hans"): Words(
        "未送达{to}：{title}", "{place}，{severity}。转报 {number} 未能送达，请电话联系。"
    ),
    ("referral.undelivered", "en"): Words(
        "Did not reach {to}: {title}", "{place}, {severity}. Referral {number} could not be delivered; call them."
    ),
    ("referral.refused", "zh-hans"): Words("{to}不受理：{title}", "{place}。转报 {number} 被退回，请另行处置。"),
    ("referral.refused", "en"): Words(
        "Refused by {to}: {title}", "{place}. Referral {number} came back; act yourself."
    ),
    ("referral.ended", "zh-hans"): Words("{to}有结果：{title}", "{place}。转报 {number} 已有处置结果。"),
    ("referral.ended", "en"): Words("Outcome from {to}: {title}", "{place}. Referral {number} has an outcome."),
    ("care.rating.low", "zh-hans"): Words("收到低分评价：{number}", "{office}。请在“护理质量·评价”里查看。"),
    ("care.rating.low", "en"): Words("A low rating: {number}", "{office}. See under “Care quality”, “Ratings”."),
    ("care.complaint.new", "zh-hans"): Words("投诉待答复：{number}", "{office}。请在 {by} 前书面答复。"),
    ("care.complaint.new", "en"): Words("To be answered: {number}", "{office}. Answer in writing by {by}."),
    ("care.complaint.step", "zh-hans"): Words("您的投诉有进展：{number}", "{office}。请在“评价与投诉”里查看。"),
    ("care.complaint.step", "en"): Words(
        "News of your complaint {number}", "{office}. Read it under “Ratings and complaints”."
    ),
    ("care.complaint.escalated", "zh-hans"): Words(
        "投诉已转监管部门：{number}", "{office}。请在“护理质量·投诉”里查看。"
    ),
    ("care.complaint.escalated", "en"): Words(
        "A complaint came to the regulator: {number}", "{office}. See under “Care quality”, “Complaints”."
    ),
    ("care.complaint.ruled", "zh-hans"): Words("监管部门已处理投诉：{number}", "{office}。请查看处理意见。"),
    ("care.complaint.ruled", "en"): Words("The regulator ruled on {number}", "{office}. Read what was decided."),
    ("care.incident.new", "zh-hans"): Words("不良事件上报：{number}（{grade} 级）", "{office}。请跟进并由他人办结。"),
    ("care.incident.new", "en"): Words(
        "Adverse event {number}, grade {grade}", "{office}. Follow it up; somebody else closes it."
    ),
    ("care.incident.serious", "zh-hans"): Words("严重不良事件：{number}（{grade} 级）", "{office}。请立即查看并处置。"),
    ("care.incident.serious", "en"): Words(
        "Serious adverse event {number}, grade {grade}", "{office}. Look at it and act now."
    ),
    ("care.refusal.new", "zh-hans"): Words("有人拒绝上门：{number}", "{office}。已排的 {count} 次上门需要另行安排。"),
    ("care.refusal.new", "en"): Words(
        "A refusal: {number}", "{office}. Visits that are planned and need somebody else: {count}."
    ),
    ("care.bar.proposed", "zh-hans"): Words("提议列入名单：{number}", "{office}。须由提议人以外的人决定。"),
    ("care.bar.proposed", "en"): Words(
        "An entry was proposed: {number}", "{office}. Somebody else than who proposed it decides."
    ),
    ("care.bar.patient", "zh-hans"): Words(
        "关于为您上门：{number}", "{office}。请在“评价与投诉”里查看理由，您可以申诉。急救不受影响。"
    ),
    ("care.bar.patient", "en"): Words(
        "About visits to you: {number}",
        "{office}. Read the reason under “Ratings and complaints”; you can appeal. Emergency care goes on as always.",
    ),
    ("care.bar.review", "zh-hans"): Words("名单到复核日：{number}", "{office}。请复核是否仍有必要。"),
    ("care.bar.review", "en"): Words("To be reviewed: {number}", "{office}. See whether the entry is still needed."),
    ("care.sanction", "zh-hans"): Words("关于您的上门资格：{number}", "{office}。请在“护理质量”里查看，您可以申诉。"),
    ("care.sanction", "en"): Words(
        "About your home visits: {number}", "{office}. Read it under “Care quality”; you can appeal."
    ),
    ("care.appeal.new", "zh-hans"): Words("有申诉：{number}", "{office}。须由未参与决定的人答复。"),
    ("care.appeal.new", "en"): Words("An appeal: {number}", "{office}. Somebody who had no part in it answers."),
    ("care.appeal.late", "zh-hans"): Words("申诉逾期未答复：{number}", "{office}。请监管部门查看。"),
    ("care.appeal.late", "en"): Words("An appeal is overdue: {number}", "{office}. It waits for an answer."),
    ("booking.offered", "zh-hans"): Words(
        "有空位了：{offering}", "{place}，{time}。已为您保留到 {until}，请在此前确认。预约 {number}。"
    ),
    ("booking.offered", "en"): Words(
        "A slot is free: {offering}", "{place}, {time}. Held for you until {until}: confirm it by then. {number}."
    ),
    ("booking.cancelled", "zh-hans"): Words(
        "预约已取消：{offering}", "{place}，{time}。由服务方取消，不收费。预约 {number}。"
    ),
    ("homecare.booked", "zh-hans"): Words("上门已约好：{service}", "{time}，编号 {number}。到时请家中留人。"),
    ("homecare.booked", "en"): Words("Booked: {service}", "{time}, {number}. Please be at home then."),
    ("homecare.cancelled", "zh-hans"): Words(
        "上门已取消：{service}", "{time}，编号 {number}。由机构取消，不收费；已付的款会退回。"
    ),
    ("homecare.cancelled", "en"): Words(
        "Cancelled: {service}", "{time}, {number}. The institution cancelled; what was paid goes back."
    ),
    ("homecare.moved", "zh-hans"): Words("上门改了时间：{service}", "改到 {time}，编号 {number}。"),
    ("homecare.moved", "en"): Words("Another time: {service}", "Now {time}, {number}."),
    ("homecare.late_payment", "zh-hans"): Words(
        "付款晚了，正在退回：{service}", "{time} 的占位已过期，{amount} 会原路退回。请重新选时间。编号 {number}。"
    ),
    ("homecare.late_payment", "en"): Words(
        "Paid too late, going back: {service}",
        "The hold for {time} had ended; {amount} goes back where it came from. Please choose a time again. {number}.",
    ),
    ("homecare.surplus", "zh-hans"): Words(
        "多付的款正在退回：{service}", "{amount} 付到时已没有待付的款，会原路退回。编号 {number}。"
    ),
    ("homecare.surplus", "en"): Words(
        "Paid too much, going back: {service}",
        "Nothing was due any more when {amount} came; it goes back where it came from. {number}.",
    ),
    ("homecare.charged", "zh-hans"): Words(
        "上门未能进行，有待付的款：{service}",
        "{time} 上门时家中无人或被拒绝。按预约条款应付 {amount}，请在“我的上门”里付款。编号 {number}。",
    ),
    ("homecare.charged", "en"): Words(
        "A visit could not take place; something is to be paid: {service}",
        "At {time} nobody was at home, or it was refused. By the terms {amount} is due; pay in “My visits”. {number}.",
    ),
    ("homecare.cancel_charged", "zh-hans"): Words(
        "取消较晚，有待付的款：{service}",
        "{time} 的上门取消得晚于预约条款。按条款应付 {amount}，请在“我的上门”里付款。编号 {number}。",
    ),
    ("homecare.cancel_charged", "en"): Words(
        "Cancelled late; something is to be paid: {service}",
        "The visit of {time} was cancelled later than the terms allow. {amount} is due; pay in “My visits”. {number}.",
    ),
    ("homecare.owed", "zh-hans"): Words(
        "服务已完成，有待付的款：{service}", "{time} 的上门已完成，应付 {amount}，请在“我的上门”里付款。编号 {number}。"
    ),
    ("homecare.owed", "en"): Words(
        "Done, and still to be paid: {service}",
        "The visit of {time} was done; {amount} is due, pay under “My visits”. {number}.",
    ),
    ("homecare.blocked", "zh-hans"): Words(
        "这次上门不能照原样进行：{service}", "{time}，编号 {number}。处方、评估、执照或病情有变，请处理。"
    ),
    ("homecare.blocked", "en"): Words(
        "A visit cannot take place as booked: {service}",
        "{time}, {number}. A prescription, assessment, licence or the patient's state changed; please act.",
    ),
    ("homecare.blocked_patient", "zh-hans"): Words(
        "您预约的上门暂时不能进行：{service}", "{time}，编号 {number}。原因在“我的上门”里；机构会联系您。"
    ),
    ("homecare.blocked_patient", "en"): Words(
        "Your visit cannot take place as it stands: {service}",
        "{time}, {number}. Why stands under “My visits”; the institution will get in touch.",
    ),
    ("booking.cancelled", "en"): Words(
        "Cancelled: {offering}", "{place}, {time}. The office cancelled; nothing is charged. {number}."
    ),
    ("chronic.finding", "zh-hans"): Words(
        "{name}的读数需要您看", "{place}，{time}，{severity}。请在“慢病照护”里处理。"
    ),
    ("chronic.finding", "en"): Words(
        "A reading of {name} needs you", "{place}, {time}, {severity}. Deal with it under “Care plans”."
    ),
    ("chronic.remind", "zh-hans"): Words("{name}：今天还没做完", "还没做：{tasks}。做完后在“我的慢病管理”里记下。"),
    ("chronic.remind", "en"): Words("{name}: still to do today", "Still to do: {tasks}. Note it under “My readings”."),
    ("chronic.due", "zh-hans"): Words("有 {count} 位患者该随访了", "{place}。请在“慢病照护”里查看到期的随访。"),
    ("chronic.due", "en"): Words("Follow-ups due: {count}", "{place}. See under “Care plans” whom to ask."),
    ("chronic.handover", "zh-hans"): Words("转给您：{name}{urgency}", "{place}，{time}。请在“慢病照护·转诊”里接收。"),
    ("chronic.handover", "en"): Words(
        "Handed over to you: {name} {urgency}", "{place}, {time}. Accept it under “Care plans”, “Handovers”."
    ),
    ("chronic.answered", "zh-hans"): Words("医生已答复：{name}", "{place}，{time}。请在“慢病照护·转诊”里查看。"),
    ("chronic.answered", "en"): Words(
        "A doctor answered: {name}", "{place}, {time}. Read it under “Care plans”, “Handovers”."
    ),
    ("care.person", "zh-hans"): Words(
        "{name}：将由{who}上门", "{service}，{time} 前后到，约定的时间 {promised} 不变。"
    ),
    ("care.person", "en"): Words("{name}: {who} will come", "{service}, about {time}; the promised {promised} stands."),
    ("care.time", "zh-hans"): Words(
        "{name}：上门时间有变", "{service}，原定 {promised}，现在约 {time}，由{who}上门。给您添麻烦了。"
    ),
    ("care.time", "en"): Words(
        "{name}: the visit comes at another time",
        "{service}, promised for {promised}, now about {time}, by {who}. We are sorry.",
    ),
    ("care.route", "zh-hans"): Words("{day} 的路线有变", "增加 {more} 单，减少 {less} 单。请查看今日路线。"),
    ("care.route", "en"): Words(
        "Your route of {day} has changed", "Visits more: {more}, fewer: {less}. Look at your route."
    ),
    ("care.risk", "zh-hans"): Words("上门可能迟到：{name}", "{service}，约定 {promised}。{why}请在派单台处理。"),
    ("care.risk", "en"): Words(
        "A visit is at risk: {name}", "{service}, promised for {promised}. {why} Deal with it on the dispatch board."
    ),
}


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@dataclass(frozen=True)
class Wording:
    """The words of one template in every language, read once for however many notices."""

    words: Mapping[str, Words]

    def fill(self, language: str, data: Mapping[str, str]) -> Words:
        """The words with their placeholders filled; one that the data lack stays visible, so that it is noticed."""
        chosen, filled = self.words[language], _Blank(data)
        filled["severity"] = SEVERITY[language].get(data.get("severity", ""), data.get("severity", ""))
        return Words(chosen.subject.format_map(filled)[:160], chosen.body.format_map(filled))


def wording(template: str) -> Wording:
    """The table's words where somebody wrote their own, else the built-in ones. KeyError for an unknown template."""
    words = {language: BUILT_IN[template, language] for language in SEVERITY}
    own = Template.objects.filter(code=template)
    return Wording(words | {row.language: Words(row.subject, row.body) for row in own})
