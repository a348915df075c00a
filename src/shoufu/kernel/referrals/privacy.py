"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from shoufu.kernel.privacy.declarations import Erase, Holding, NotPersonal

HELP = ("help by another organisation", "请其他单位协助")
WHY = "the act stays; contacts are encrypted and blanked after two years"

holdings = (
    Holding("referrals.referral", lambda s: None, *HELP, 730, erase=Erase.KEEP, why=WHY),
    Holding("referrals.handling", lambda s: None, *HELP, 730, erase=Erase.KEEP, why=WHY),
    Holding("referrals.message", lambda s: None, *HELP, 90, erase=Erase.KEEP, why="encrypted; deleted after 90 days"),
)

not_personal = (
    NotPersonal("referrals.destination", "an organisation and its line"),
    NotPersonal("referrals.policy", "a rule"),
    NotPersonal("referrals.receipt", "the number of a message"),
)
