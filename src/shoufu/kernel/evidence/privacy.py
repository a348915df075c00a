"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import Erase, Holding

HANDING = ("handing evidence over", "移交证据")
WHY = "proof of what was handed to whom; the bundle itself is deleted within 30 days"

holdings = (
    Holding("evidence.export", lambda s: None, *HANDING, 1095, erase=Erase.KEEP, why=WHY),
    Holding("evidence.hold", lambda s: None, *HANDING, erase=Erase.KEEP, why="a duty to keep evidence"),
)
