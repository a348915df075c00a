"""The two phrase books that sentences and reasons are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNITS = ((86_400.0, 3), (3_600.0, 2), (60.0, 1), (1.0, 0))
OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True)
class Phrases:
    """A language's words; templates have named gaps."""

    comma: str
    at_place: str
    during: str
    on_days: str
    all_day: str
    of_kind: str
    each: str
    key_names: Mapping[str, str]
    match: str
    edge: str
    threshold: str
    clear: str
    dwell: str
    until: str
    count: str
    absence: str
    sequence_where: str
    sequence: str
    then: str
    unless: str
    occupancy: str
    occupancy_all: str
    raise_case: str
    note_only: str
    tell: str
    cooldown: str
    stop: str
    severities: Mapping[str, str]
    operators: Mapping[str, str]
    logic: Mapping[str, str]
    negated: str
    negated_field: str
    present: str
    absent: str
    recent: str
    always: str
    anything: str
    unit_names: tuple[str, str, str, str]
    unit_names_many: tuple[str, str, str, str]
    day_names: tuple[str, ...]
    workdays: str
    weekend: str
    fields: Mapping[str, str]
    values: Mapping[str, str]

    def seconds(self, seconds: float) -> str:
        """A span in its largest whole unit: 300 → "5 minutes", 90 → "1 minute 30 seconds"."""
        parts: list[str] = []
        rest = seconds
        for size, unit in UNITS:
            amount = rest // size if size > 1 else rest
            if amount and (size > 1 or amount >= 0.001):
                names = self.unit_names if amount == 1 else self.unit_names_many
                parts.append(f"{amount:g} {names[unit]}")
                rest -= amount * size
        return " ".join(parts) or f"0 {self.unit_names_many[0]}"

    def days(self, days: tuple[int, ...]) -> str:
        """Weekdays by name; empty for all seven."""
        chosen = tuple(sorted(set(days)))
        if len(chosen) == 7:
            return ""
        if chosen == (1, 2, 3, 4, 5):
            return self.workdays
        if chosen == (6, 7):
            return self.weekend
        return self.comma.join(self.day_names[day - 1] for day in chosen if 1 <= day <= 7)


ZH = Phrases(
    comma="、",
    at_place="在 {place}，",
    during="{clock} 之间，",
    on_days="{days} ",
    all_day="全天",
    of_kind="的{kinds}",
    each="同一{key}",
    key_names={"device": "设备", "place": "地点", "feature": "目标", "device+feature": "设备上的同一目标"},
    match="：每当{where}",
    edge="：一旦{where}",
    threshold="：{where}，并持续 {seconds}",
    clear="（{clear}时解除）",
    dwell="：{where}，超过 {seconds}",
    until="（直到{until}）",
    count="：{seconds} 内有 {n} 次{where}",
    absence="：超过 {seconds} 没有{where}",
    sequence_where="：在{where}的观测中",
    sequence="：{seconds} 内依次",
    then="，然后",
    unless="，且此前没有{unless}",
    occupancy="：{where}时累计{delta}，超过 {limit}",
    occupancy_all="：累计{delta}，超过 {limit}",
    raise_case="，就报{severity}事件“{case}”",
    note_only="，就记一次{severity}触发（不报事件）",
    tell="给{roles}",
    cooldown="；{seconds} 内只报一次",
    stop="。",
    severities={"critical": "紧急", "high": "较高", "medium": "中等", "low": "较低"},
    operators={
        "==": "{left}为{right}",
        "!=": "{left}不为{right}",
        "<": "{left}低于 {right}",
        "<=": "{left}不超过 {right}",
        ">": "{left}超过 {right}",
        ">=": "{left}达到 {right}",
        "in": "{left}属于{right}",
    },
    logic={"&&": "，且", "||": "，或"},
    negated="并非（{inner}）",
    negated_field="未{field}",
    present="有{field}",
    absent="没有{field}",
    recent="此前 {seconds} 秒内同处有{kind}",
    always="有观测",
    anything="任何观测",
    unit_names=("秒", "分钟", "小时", "天"),
    unit_names_many=("秒", "分钟", "小时", "天"),
    day_names=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    workdays="工作日",
    weekend="周末",
    fields={
        "state": "状态", "value": "数值", "quantity": "物理量", "granted": "放行", "alarm": "报警", "object": "目标",
        "seconds": "停留秒数", "zone": "区域",
        "line": "界线", "direction": "方向", "persons": "人数", "vehicles": "车数",
        "plate": "车牌", "score": "置信度", "registered": "已登记",
        "credential": "凭证", "active": "有活动", "kind": "类型",
        "reason": "原因", "tamper": "画面状况", "class": "类别", "list": "名单", "lane": "车道", "fps": "帧率",
        "uptime": "运行秒数", "version": "版本", "detail": "详情", "behind": "落后版本数", "key": "凭证号",
        "colour": "颜色", "bolt": "锁舌", "device": "设备", "feature": "目标", "place": "地点",
        "local.hour": "当地小时", "local.minute": "当地分钟", "local.weekday": "星期",
    },
    values={
        "open": "打开", "closed": "关闭", "person": "人", "car": "汽车", "in": "进", "out": "出", "forced": "强行打开",
        "online": "在线", "offline": "离线", "tamper": "防拆", "duress": "胁迫", "fire": "火警", "temperature": "温度",
        "humidity": "湿度", "smoke": "烟雾", "noise": "噪声",
        "water_level": "水位", "vehicle": "车辆", "bicycle": "自行车",
        "motorcycle": "摩托车", "bus": "公交车", "truck": "货车",
        "degraded": "异常", "locked": "锁上", "unlocked": "未锁", "clear": "正常", "unknown": "未知", "remote": "远程",
        "granted": "放行", "card": "卡", "pin": "密码", "qr": "二维码", "face": "人脸", "button": "出门按钮",
        "unknown card": "未知的卡",
        "antipassback": "反潜回", "clock_lost": "时钟丢失", "opened without a grant": "未经放行打开", "exit": "外出",
        "blue": "蓝牌", "green": "绿牌", "yellow": "黄牌", "white": "白牌", "black": "黑牌", "registered": "已登记",
        "visitor": "访客", "watched": "布控", "emergency": "应急",
        "true": "是", "false": "否",
    },
)  # fmt: skip

EN = Phrases(
    comma=", ",
    at_place="At {place}, ",
    during="between {clock}, ",
    on_days="on {days} ",
    all_day="0:00 and 24:00",
    of_kind=" ({kinds})",
    each="for each {key}",
    key_names={"device": "device", "place": "place", "feature": "target", "device+feature": "target of a device"},
    match=": whenever {where}",
    edge=": once {where}",
    threshold=": once {where} and it holds for {seconds}",
    clear=" (cleared when {clear})",
    dwell=": when {where} for more than {seconds}",
    until=" (until {until})",
    count=": when {n} times within {seconds} {where}",
    absence=": when for more than {seconds} there was no {where}",
    sequence_where=": among rows where {where}",
    sequence=": when within {seconds} first ",
    then=", then ",
    unless=", without {unless} before",
    occupancy=": when {where} and the running sum of {delta} exceeds {limit}",
    occupancy_all=": when the running sum of {delta} exceeds {limit}",
    raise_case=", raise a {severity} case “{case}”",
    note_only=", note a {severity} firing (no case)",
    tell=" to {roles}",
    cooldown="; at most once in {seconds}",
    stop=".",
    severities={"critical": "critical", "high": "high", "medium": "medium", "low": "low"},
    operators={
        "==": "{left} is {right}",
        "!=": "{left} is not {right}",
        "<": "{left} is below {right}",
        "<=": "{left} is at most {right}",
        ">": "{left} is above {right}",
        ">=": "{left} is at least {right}",
        "in": "{left} is one of {right}",
    },
    logic={"&&": " and ", "||": " or "},
    negated="not ({inner})",
    negated_field="not {field}",
    present="there is a {field}",
    absent="there is no {field}",
    recent="{kind} was seen at the same place in the last {seconds} seconds",
    always="an observation",
    anything="observation at all",
    unit_names=("second", "minute", "hour", "day"),
    unit_names_many=("seconds", "minutes", "hours", "days"),
    day_names=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    workdays="workdays",
    weekend="weekends",
    fields={"local.hour": "the local hour", "local.minute": "the local minute", "local.weekday": "the weekday"},
    values={},
)
