from shoufu.scenes.community.vehicles.services.gate import answer, expire_waiting, take_reads
from shoufu.scenes.community.vehicles.services.lists import (
    EntryDraft,
    add_entry,
    invite_vehicle,
    revoke_entries,
)
from shoufu.scenes.community.vehicles.services.parking import (
    LaneDraft,
    ParkingDraft,
    correct_count,
    report_overstays,
    set_lane,
    set_parking,
)
from shoufu.scenes.community.vehicles.services.plates import sync_plates
from shoufu.scenes.community.vehicles.services.retention import forget

__all__ = [
    "EntryDraft",
    "LaneDraft",
    "ParkingDraft",
    "add_entry",
    "answer",
    "correct_count",
    "expire_waiting",
    "forget",
    "invite_vehicle",
    "report_overstays",
    "revoke_entries",
    "set_lane",
    "set_parking",
    "sync_plates",
    "take_reads",
]
