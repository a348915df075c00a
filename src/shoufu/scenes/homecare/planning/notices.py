"""What patients, nurses and coordinators are told of changed plans."""

from shoufu.kernel.base.scene import NoticeWords

NOTICES = (
    NoticeWords(
        "care.person",
        "{name}：将由{who}上门",
        "{service}，{time} 前后到，约定的时间 {promised} 不变。",
        "{name}: {who} will come",
        "{service}, about {time}; the promised {promised} stands.",
    ),
    NoticeWords(
        "care.time",
        "{name}：上门时间有变",
        "{service}，原定 {promised}，现在约 {time}，由{who}上门。给您添麻烦了。",
        "{name}: the visit comes at another time",
        "{service}, promised for {promised}, now about {time}, by {who}. We are sorry.",
    ),
    NoticeWords(
        "care.route",
        "{day} 的路线有变",
        "增加 {more} 单，减少 {less} 单。请查看今日路线。",
        "Your route of {day} has changed",
        "Visits more: {more}, fewer: {less}. Look at your route.",
    ),
    NoticeWords(
        "care.risk",
        "上门可能迟到：{name}",
        "{service}，约定 {promised}。{why}请在派单台处理。",
        "A visit is at risk: {name}",
        "{service}, promised for {promised}. {why} Deal with it on the dispatch board.",
    ),
)
