"""Why a door opened or not, and what is wrong, as codes and in plain words."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Reason code of a decision."""

    GRANTED = "granted"
    DOOR_UNLOCKED = "door_unlocked"
    EXIT = "exit"
    FIRE_RELEASE = "fire_release"
    NO_RULES = "no_rules"
    UNKNOWN_READER = "unknown_reader"
    UNKNOWN_CREDENTIAL = "unknown_credential"
    REVOKED = "revoked"
    NOT_AT_THIS_DOOR = "not_at_this_door"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    LEASE_EXPIRED = "lease_expired"
    OUTSIDE_SCHEDULE = "outside_schedule"
    CLOCK_LOST = "clock_lost"
    LOCKED_DOWN = "locked_down"
    BLOCKED = "blocked"
    DOUBLE_LOCKED = "double_locked"
    INTERLOCK = "interlock"
    PIN_LOCKED_OUT = "pin_locked_out"
    CARD_UNREADABLE = "card_unreadable"
    CODE_UNREADABLE = "code_unreadable"
    CODE_FORGED = "code_forged"
    CODE_OLD = "code_old"
    CODE_EARLY = "code_early"
    CODE_USED = "code_used"
    PASS_USED_UP = "pass_used_up"
    PASS_NOT_BOUND = "pass_not_bound"
    OTHER_GROUP = "other_group"
    NO_CODES_HERE = "no_codes_here"


class Alarm(StrEnum):
    """What a controller tells besides decisions. FORCED, OPEN_TOO_LONG and OPEN_WARNING are ONVIF's DoorForcedOpen,
    DoorOpenTooLong and its pre-alarm; CLOSED_AGAIN ends them. CONTACT_FAULT is told of the contact and of the bolt's
    sensor, and again as cleared."""

    FORCED = "forced"
    OPEN_WARNING = "open_warning"
    OPEN_TOO_LONG = "open_too_long"
    CLOSED_AGAIN = "closed_again"
    DURESS = "duress"
    ANTIPASSBACK = "antipassback"
    TAILGATING = "tailgating"
    INTERLOCK_FAULT = "interlock_fault"
    CONTACT_FAULT = "contact_fault"
    FIRE = "fire"
    FIRE_INPUT_ENDED = "fire_input_ended"
    FIRE_RESET = "fire_reset"
    CLOCK_LOST = "clock_lost"
    CLOCK_SET = "clock_set"
    PIN_LOCKOUT = "pin_lockout"
    TAMPER = "tamper"
    READER_OFFLINE = "reader_offline"
    READER_ONLINE = "reader_online"
    READER_INSECURE = "reader_insecure"
    RULES_REFUSED = "rules_refused"
    STORAGE = "storage"


_WORDS: dict[Reason, tuple[str, str]] = {
    Reason.GRANTED: ("请进", "Please come in"),
    Reason.DOOR_UNLOCKED: ("门已开", "The door is unlocked"),
    Reason.EXIT: ("请走好", "Way out, always free"),
    Reason.FIRE_RELEASE: ("消防放行", "Opened by the fire system"),
    Reason.NO_RULES: ("本门尚未设置，请找物业", "This door is not set up yet; ask the property office"),
    Reason.UNKNOWN_READER: ("读卡器未登记，请找物业", "This reader is not registered; ask the property office"),
    Reason.UNKNOWN_CREDENTIAL: ("凭证未登记", "This credential is not registered"),
    Reason.REVOKED: ("凭证已停用", "This credential was withdrawn"),
    Reason.NOT_AT_THIS_DOOR: ("凭证不能开这个门", "This credential does not open this door"),
    Reason.NOT_YET_VALID: ("凭证还未生效", "This credential is not valid yet"),
    Reason.EXPIRED: ("凭证已过期", "This credential has expired"),
    Reason.LEASE_EXPIRED: ("门禁离线太久，凭证待更新", "The door has been offline too long for this credential"),
    Reason.OUTSIDE_SCHEDULE: ("不在允许时段", "Not at this time"),
    Reason.CLOCK_LOST: ("门禁时钟不准，请用门卡", "The door has lost its clock; please use a card"),
    Reason.LOCKED_DOWN: ("门已封闭", "The door is locked down"),
    Reason.BLOCKED: ("门已停用", "The door is blocked"),
    Reason.DOUBLE_LOCKED: ("门已反锁", "The door is double locked"),
    Reason.INTERLOCK: ("请先关好另一道门", "Close the other door first"),
    Reason.PIN_LOCKED_OUT: ("密码错误太多，请稍后", "Too many wrong codes; wait a while"),
    Reason.CARD_UNREADABLE: ("没读好，请再刷一次", "Not read well; try again"),
    Reason.CODE_UNREADABLE: ("不是门禁二维码", "Not a door code"),
    Reason.CODE_FORGED: ("二维码无效", "This code is not genuine"),
    Reason.CODE_OLD: ("二维码已过时，请刷新", "This code is old; show the present one"),
    Reason.CODE_EARLY: ("二维码时间不对，请校准手机时间", "The phone's clock is ahead"),
    Reason.CODE_USED: ("二维码已用过，请等下一个", "This code was used; wait for the next one"),
    Reason.PASS_USED_UP: ("次数已用完", "No passes left"),
    Reason.PASS_NOT_BOUND: ("此码不能在这里用", "This pass cannot be used here"),
    Reason.OTHER_GROUP: ("不是本小区的二维码", "This code belongs to another place"),
    Reason.NO_CODES_HERE: ("此门不支持二维码", "This door takes no codes"),
}
OPENS = frozenset({Reason.GRANTED, Reason.DOOR_UNLOCKED, Reason.EXIT, Reason.FIRE_RELEASE})


def words(reason: Reason | str, language: str = "zh") -> str:
    """The reason in a plain sentence, Chinese or English ("en…")."""
    chinese, english = _WORDS[Reason(reason)]
    return english if language.startswith("en") else chinese
