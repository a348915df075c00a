from shoufu.scenes.homecare.encounters.services.alarms import Position, Press, call, called, moved
from shoufu.scenes.homecare.encounters.services.bundles import Bundle, bundle, serving
from shoufu.scenes.homecare.encounters.services.common import Answer, Draft
from shoufu.scenes.homecare.encounters.services.looks import Shown, Way, exported, look, look_line, picture, shown, way
from shoufu.scenes.homecare.encounters.services.phones import Standing, enrol, owner, proved, standing
from shoufu.scenes.homecare.encounters.services.pictures import MOST, Progress, piece, progress, too_large
from shoufu.scenes.homecare.encounters.services.retention import forget
from shoufu.scenes.homecare.encounters.services.settling import (
    DOORS,
    RulesDraft,
    add,
    alike,
    doubtful,
    finish_without,
    set_rules,
    settle,
)
from shoufu.scenes.homecare.encounters.services.syncing import answers, release, sync
from shoufu.scenes.homecare.encounters.services.watching import answer, of_overdue, of_sos, watch

__all__ = [
    "DOORS",
    "MOST",
    "Answer",
    "Bundle",
    "Draft",
    "Position",
    "Press",
    "Progress",
    "RulesDraft",
    "Shown",
    "Standing",
    "Way",
    "add",
    "alike",
    "answer",
    "answers",
    "bundle",
    "call",
    "called",
    "doubtful",
    "enrol",
    "exported",
    "finish_without",
    "forget",
    "look",
    "look_line",
    "moved",
    "of_overdue",
    "of_sos",
    "owner",
    "picture",
    "piece",
    "progress",
    "proved",
    "release",
    "serving",
    "set_rules",
    "settle",
    "shown",
    "standing",
    "sync",
    "too_large",
    "watch",
    "way",
]
