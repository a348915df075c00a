from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(
    values={
        "name": ("acknowledge", "dispatch", "note", "false_alarm", "merge", "feedback"),
        "verdict": ("useful",),
        "severity": ("high",),
        "state": ("open",),
    },
    shared=frozenset({"DayNumber"}),
)
