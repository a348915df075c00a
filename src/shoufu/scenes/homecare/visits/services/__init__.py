from shoufu.scenes.homecare.visits.services.asking import VisitDraft, book, expected, free_slots, note, slots_to_move
from shoufu.scenes.homecare.visits.services.changes import Cost, cancel, cost, move
from shoufu.scenes.homecare.visits.services.checks import Objection, check_ahead, check_before
from shoufu.scenes.homecare.visits.services.offerings import (
    RulesDraft,
    close_for_booking,
    keep_all_in_step,
    keep_in_step,
    open_for_booking,
    rules_of,
    set_rules,
)
from shoufu.scenes.homecare.visits.services.outlook import Limit, Outlook, next_step, outlook, outlook_to_move
from shoufu.scenes.homecare.visits.services.paying import confirm_cash, pay_at_visit, pay_online, receipt
from shoufu.scenes.homecare.visits.services.prescriptions import (
    PrescriptionDraft,
    Written,
    add_prescription,
    check_prescription,
    look_at,
    revoke_prescription,
    written_in,
)
from shoufu.scenes.homecare.visits.services.retention import forget, held_visits
from shoufu.scenes.homecare.visits.services.states import accept, begin, close_past, finish, miss

__all__ = [
    "Cost",
    "Limit",
    "Objection",
    "Outlook",
    "PrescriptionDraft",
    "RulesDraft",
    "VisitDraft",
    "Written",
    "accept",
    "add_prescription",
    "begin",
    "book",
    "cancel",
    "check_ahead",
    "check_before",
    "check_prescription",
    "close_for_booking",
    "close_past",
    "confirm_cash",
    "cost",
    "expected",
    "finish",
    "forget",
    "free_slots",
    "held_visits",
    "keep_all_in_step",
    "keep_in_step",
    "look_at",
    "miss",
    "move",
    "next_step",
    "note",
    "open_for_booking",
    "outlook",
    "outlook_to_move",
    "pay_at_visit",
    "pay_online",
    "receipt",
    "revoke_prescription",
    "rules_of",
    "set_rules",
    "slots_to_move",
    "written_in",
]
