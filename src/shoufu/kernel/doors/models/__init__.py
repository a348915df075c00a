from shoufu.kernel.doors.models.acts import FireRelease, LockDown, OpenRequest
from shoufu.kernel.doors.models.credentials import Credential, Pass, Passage
from shoufu.kernel.doors.models.levels import AccessLevel, Assignment, LevelDoor, Schedule, SpecialDay
from shoufu.kernel.doors.models.points import (
    CLONABLE,
    AccessPoint,
    DoorGroup,
    DoorState,
    HashKey,
    Reader,
    Technology,
)
from shoufu.kernel.doors.models.rulesets import Controller, Receipt, RuleSet

__all__ = [
    "CLONABLE",
    "AccessLevel",
    "AccessPoint",
    "Assignment",
    "Controller",
    "Credential",
    "DoorGroup",
    "DoorState",
    "FireRelease",
    "HashKey",
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
