from shoufu.scenes.community.resident.services.contacts import add_contact, remove_contact
from shoufu.scenes.community.resident.services.doors import enrol, lost, new_pin, open_door, set_policy
from shoufu.scenes.community.resident.services.pictures import cleaned
from shoufu.scenes.community.resident.services.requests import Called, RequestDraft, ask, call_for_help
from shoufu.scenes.community.resident.services.retention import forget

__all__ = [
    "Called",
    "RequestDraft",
    "add_contact",
    "ask",
    "call_for_help",
    "cleaned",
    "enrol",
    "forget",
    "lost",
    "new_pin",
    "open_door",
    "remove_contact",
    "set_policy",
]
