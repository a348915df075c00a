from shoufu.kernel.referrals.services.arriving import take_callback
from shoufu.kernel.referrals.services.chasing import chase_unreceived
from shoufu.kernel.referrals.services.destinations import (
    DestinationDraft,
    MadeDestination,
    create_destination,
    renew_secrets,
    set_active,
    update_destination,
)
from shoufu.kernel.referrals.services.handling import accept, end, receive, record_look, refuse
from shoufu.kernel.referrals.services.policies import (
    PolicyDraft,
    create_policy,
    refer_due,
    remove_policy,
    update_policy,
)
from shoufu.kernel.referrals.services.retention import expire
from shoufu.kernel.referrals.services.sending import Draft, refer, send_test, tell_changes, withdraw

__all__ = [
    "DestinationDraft",
    "Draft",
    "MadeDestination",
    "PolicyDraft",
    "accept",
    "chase_unreceived",
    "create_destination",
    "create_policy",
    "end",
    "expire",
    "receive",
    "record_look",
    "refer",
    "refer_due",
    "refuse",
    "remove_policy",
    "renew_secrets",
    "send_test",
    "set_active",
    "take_callback",
    "tell_changes",
    "update_destination",
    "update_policy",
    "withdraw",
]
