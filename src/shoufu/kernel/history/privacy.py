"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import NotPersonal, Retention

not_personal = (
    NotPersonal("history.lookback", "the account's number, the place, the day and the hour"),
    NotPersonal("history.flow", "counts of five different passages and more in an hour; nobody among them"),
)

retentions = (
    Retention("shoufu.kernel.history.tasks.forget", "Counts of movement past their years", "过期的人车流量统计"),
)
