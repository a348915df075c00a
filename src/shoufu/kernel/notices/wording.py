from collections.abc import Mapping
from dataclasses import dataclass

from shoufu.kernel.base import registry
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
    ("booking.offered", "zh-hans"): Words(
        "有空位了：{offering}", "{place}，{time}。已为您保留到 {until}，请在此前确认。预约 {number}。"
    ),
    ("booking.offered", "en"): Words(
        "A slot is free: {offering}", "{place}, {time}. Held for you until {until}: confirm it by then. {number}."
    ),
    ("booking.cancelled", "zh-hans"): Words(
        "预约已取消：{offering}", "{place}，{time}。由服务方取消，不收费。预约 {number}。"
    ),
    ("booking.cancelled", "en"): Words(
        "Cancelled: {offering}", "{place}, {time}. The office cancelled; nothing is charged. {number}."
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


def _built_in(template: str, language: str) -> Words:
    declared = registry.notice_words().get(template)
    if declared is None:
        return BUILT_IN[template, language]
    if language == "en":
        return Words(declared.subject_en, declared.body_en)
    return Words(declared.subject, declared.body)


def wording(template: str) -> Wording:
    """The table's words where somebody wrote their own, else a scene's or the built-in ones. KeyError for an unknown
    template."""
    words = {language: _built_in(template, language) for language in SEVERITY}
    own = Template.objects.filter(code=template)
    return Wording(words | {row.language: Words(row.subject, row.body) for row in own})
