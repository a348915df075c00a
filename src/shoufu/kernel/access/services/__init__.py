from shoufu.kernel.access.services.accounts import (
    UserDraft,
    create_user,
    create_user_with_role,
    create_users,
    deactivate,
    purge_accounts,
    sign_out,
)
from shoufu.kernel.access.services.own import (
    MadeToken,
    Preferences,
    create_token,
    credential_changed,
    revoke_token,
    set_preferences,
    sign_in_failed,
    signed_in,
    signed_out,
)
from shoufu.kernel.access.services.roles import RoleDraft, end_role, give_role, give_roles
from shoufu.kernel.access.services.sessions import end_sessions

__all__ = [
    "MadeToken",
    "Preferences",
    "RoleDraft",
    "UserDraft",
    "create_token",
    "create_user",
    "create_user_with_role",
    "create_users",
    "credential_changed",
    "deactivate",
    "end_role",
    "end_sessions",
    "give_role",
    "give_roles",
    "purge_accounts",
    "revoke_token",
    "set_preferences",
    "sign_in_failed",
    "sign_out",
    "signed_in",
    "signed_out",
]
