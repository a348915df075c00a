from shoufu.kernel.doors.models.acts import FireRelease, LockDown, OpenRequest
from shoufu.kernel.doors.models.credentials import Credential, Pass, Passage
from shoufu.kernel.doors.models.levels import AccessLevel, Assignment, LevelDoor, Schedule, SpecialDay
from shoufu.kernel.doors.models.points import CLONABLE, AccessPoint, DoorState, Reader, Technology
from shoufu.kernel.doors.models.rulesets import Controller, Receipt, RuleSet

__all__ = [
    "CLONABLE",
    "AccessLevel",
    "AccessPoint",
    "Assignment",
    "Controller",
    "Credential",
    "DoorState",
    "FireRelease",
    "LevelDoor",
    "LockDown",
    "OpenRequest",
    "Pass",
    "Passage",
    "Reader",
    "Receipt",
    "RuleSet",
    "Schedule",
    "SpecialDay",
    "Technology",
]
