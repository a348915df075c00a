"""What this app itself declares: the kernel's purposes and scopes, and its own tables."""

from collections.abc import Iterator

from django.db.models import Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.privacy.declarations import (
    Erase,
    Holding,
    Hooks,
    NotPersonal,
    Purpose,
    Receipt,
    Retention,
    Scope,
    Subject,
)

purposes = (
    Purpose(
        "face",
        "Opening doors by face",
        "刷脸开门",
        "A camera at the door compares your face with a template that stays in that door. Card, code and call always "
        "work as well.",
        "门口的相机把您的脸和存在这扇门里的模板比对。刷卡、密码和呼叫随时都可以用。",
        "You open doors by card, code or call.",
        "您用卡、密码或呼叫开门。",
        "PIPL 14, 29; 人脸识别技术应用安全管理办法",
    ),
    Purpose(
        "welfare",
        "Welfare watch",
        "平安关怀",
        "When your home is unusually quiet, you are asked first whether all is well, then the people whom you named.",
        "家里异常安静时，先问您是否平安，再问您指定的人。",
        "Nobody is told when your home stays quiet.",
        "家里一直没动静时，不会有人收到提醒。",
        "PIPL 14",
    ),
    Purpose(
        "notices.outside",
        "Notices by SMS and e-mail",
        "短信和邮件通知",
        "Your number or address is given to the company that carries the message.",
        "您的号码或邮箱会交给传送消息的公司。",
        "You read notices here only.",
        "您只在这里看通知。",
        "PIPL 23",
    ),
    Purpose(
        "emergency.contact",
        "Emergency contact",
        "紧急联系人",
        "In an emergency the duty officer sees whom to call for you.",
        "紧急时，值班人员能看到该给谁打电话。",
        "Nobody is called for you.",
        "不会有人替您打电话。",
        "PIPL 14",
    ),
)

scopes = (
    Scope("data.view", "See my data", "查看我的信息"),
    Scope("looks.view", "See who looked at my data", "查看谁看过我的信息"),
    Scope("consents.manage", "Give and withdraw consents", "同意和撤回同意"),
    Scope("requests.make", "Ask for corrections and object", "申请更正和申诉"),
    Scope("notices.view", "Read my notices", "看我的通知"),
    Scope("door.open", "Open my door", "开我家的门"),
    Scope("visitors.invite", "Invite visitors", "邀请访客"),
    Scope("vehicles.manage", "Manage my vehicles", "管理我的车辆"),
    Scope("repairs.make", "Ask for repairs and complain", "报修和投诉"),
    Scope("welfare.answer", "Answer welfare checks", "回复平安关怀"),
    Scope("care.view", "See my care", "查看我的护理"),
    Scope("care.book", "Book care", "预约护理"),
)


KEPT_BY_LAW = ("keeping records of an erased person as long as a law demands", "依法留存已删除人员的记录")


def _person(subject: Subject) -> Q:
    return Q(person=subject.person)


holdings = (
    Holding(
        "privacy.delegation",
        lambda s: Q(person=s.person) | Q(delegate=s.person),
        "acting for a family member within what was granted",
        "亲属在授权范围内代办",
        1095,
        export=("person_id", "delegate_id", "scopes", "basis", "since", "until", "withdrawn_at"),
        title="Who may act for me",
        title_zh="谁能替我办事",
    ),
    Holding(
        "privacy.datarequest",
        _person,
        "answering what people ask about their data",
        "答复关于个人信息的请求",
        1095,
        export=("kind", "state", "asked_at", "due_at", "answered_at"),
        title="What I asked about my data",
        title_zh="我提出的请求",
    ),
    Holding("privacy.secrecy", _person, "delaying lines where a law demands it", "依法推迟告知", 1095),
    Holding(
        "privacy.export",
        _person,
        "giving people a copy of their data",
        "提供个人信息副本",
        7,
        export=("asked_at", "state", "expires_at", "fetched_at"),
        title="Copies that I asked for",
        title_zh="我要过的副本",
    ),
    Holding(
        "privacy.deposit",
        lambda s: None,
        *KEPT_BY_LAW,
        erase=Erase.KEEP,
        why="says what a law keeps until when; it names nobody",
    ),
    Holding(
        "privacy.depositpart",
        lambda s: None,
        *KEPT_BY_LAW,
        erase=Erase.KEEP,
        why="what a law keeps, encrypted and out of every page until its day",
    ),
)

not_personal = (
    NotPersonal("privacy.tombstone", "keyed hashes only, removed when the proof ends"),
    NotPersonal("privacy.legalhold", "names the case and the authority, no person"),
)

retentions = (
    Retention(
        "shoufu.kernel.privacy.tasks.purge",
        "Copies, proofs, old requests and what laws kept",
        "副本、证明、旧请求和到期的依法留存",
    ),
)


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """The files of copies that the person asked for go before their rows."""
    from shoufu.kernel.privacy import exports
    from shoufu.kernel.privacy.models import Export

    ids = list(Export.objects.filter(person=subject.person).values_list("pk", flat=True))
    for pk in ids:
        exports.path(pk).unlink(missing_ok=True)
    yield Receipt("copies", str(len(ids)))


hooks = Hooks(ended=_ended)
