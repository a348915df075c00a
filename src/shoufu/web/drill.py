from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(
    values={
        "code": ("en", "zh-hans"),
        "token": ("not-a-token",),
        "tab": ("open", "today", "mine"),
        "span": ("24h", "day"),
        "next": ("/",),
        "since": ("1700000000",),
        "minutes": ("60",),
        "day": ("2026-11-23",),
        "with": ("2026-11-22",),
        "start": ("0",),
    }
)
