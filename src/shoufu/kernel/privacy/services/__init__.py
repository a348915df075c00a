from shoufu.kernel.privacy.services.consents import give_consent, withdraw_consent
from shoufu.kernel.privacy.services.delegations import GrantDraft, find_delegate, grant, withdraw
from shoufu.kernel.privacy.services.holds import HoldDraft, SecrecyDraft, hold, keep_back, release
from shoufu.kernel.privacy.services.requests import answer, ask_correction, ask_erasure, cancel, object_to, opened

__all__ = [
    "GrantDraft",
    "HoldDraft",
    "SecrecyDraft",
    "answer",
    "ask_correction",
    "ask_erasure",
    "cancel",
    "find_delegate",
    "give_consent",
    "grant",
    "hold",
    "keep_back",
    "object_to",
    "opened",
    "release",
    "withdraw",
    "withdraw_consent",
]
