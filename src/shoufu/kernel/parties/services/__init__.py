from shoufu.kernel.parties.services.changes import (
    change_residencies,
    change_vehicles,
    correct_people,
)
from shoufu.kernel.parties.services.consents import (
    give_consent,
    withdraw_consent,
)
from shoufu.kernel.parties.services.departures import (
    Leaving,
    died,
    lapse,
    leave,
)
from shoufu.kernel.parties.services.homes import (
    HouseholdDraft,
    ResidencyDraft,
    VehicleDraft,
    create_households,
    move_in,
    move_out,
    register_vehicle,
    register_vehicles,
    remove_vehicle,
)
from shoufu.kernel.parties.services.people import (
    PersonChange,
    PersonDraft,
    correct_person,
    create_people,
    create_person,
    erase_person,
    reencrypt,
)
from shoufu.kernel.parties.services.retention import Purged, purge
from shoufu.kernel.parties.services.work import (
    MembershipDraft,
    OrganisationDraft,
    add_members,
    create_organisations,
    end_membership,
)

__all__ = [
    "Purged",
    "purge",
    "HouseholdDraft",
    "Leaving",
    "MembershipDraft",
    "OrganisationDraft",
    "PersonChange",
    "PersonDraft",
    "ResidencyDraft",
    "VehicleDraft",
    "add_members",
    "change_residencies",
    "change_vehicles",
    "correct_people",
    "correct_person",
    "create_households",
    "create_organisations",
    "create_people",
    "create_person",
    "died",
    "end_membership",
    "erase_person",
    "give_consent",
    "lapse",
    "leave",
    "move_in",
    "move_out",
    "reencrypt",
    "register_vehicle",
    "register_vehicles",
    "remove_vehicle",
    "withdraw_consent",
]
