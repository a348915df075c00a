"""Watching over a person who lives alone and asked for it: is this silence longer than their own usual one?

The caller feeds the sensors' events in order of time (`Watch.event`), says while which spans the sensors were heard
(`Watch.lost`, `Watch.found`), and asks for the moment at which the silence becomes unusual (`Watch.due`). Times are
seconds of the person's wall clock since 1970 (local time, so that an hour is an hour of their day).

`pack` and `unpack` keep a watch between two looks; `Watch.said` is a person's own word.
`Habits` learns the longest silence of each hour of the day; `trial` measures a record: false alarms a week, and how
long after a collapse the alarm would have come.
"""

from shoufu.engines.welfare.habits import Habits, Settings, Usual
from shoufu.engines.welfare.packing import pack, unpack
from shoufu.engines.welfare.trial import Event, Trial, trial
from shoufu.engines.welfare.watch import Alarm, Reason, State, Watch

__all__ = [
    "Alarm",
    "Event",
    "Habits",
    "Reason",
    "Settings",
    "State",
    "Trial",
    "Usual",
    "Watch",
    "pack",
    "trial",
    "unpack",
]
