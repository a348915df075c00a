"""What audited acts are called for the person whom they concern."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from shoufu.kernel.base import registry

KERNEL = {
    "parties.look": _lazy("Looked at phone or identity number"),
    "parties.search": _lazy("Searched for people"),
    "parties.create_person": _lazy("Registered you"),
    "parties.correct_person": _lazy("Corrected your data"),
    "parties.erase_person": _lazy("Erased your data"),
    "parties.move_in": _lazy("Registered that you moved in"),
    "parties.move_out": _lazy("Registered that you moved out"),
    "parties.change_residency": _lazy("Changed the dates of your stay"),
    "parties.moved_out": _lazy("Ended every right that the home gave you: you moved out"),
    "parties.lapsed": _lazy("Ended every right that the home gave you: the tenancy ended"),
    "parties.divorced": _lazy("Ended every right that the home gave you: you separated"),
    "parties.died": _lazy("Ended every right: death was reported"),
    "parties.left": _lazy("Ended every right of your work here"),
    "parties.give_consent": _lazy("Noted a consent"),
    "parties.withdraw_consent": _lazy("Noted that a consent was withdrawn"),
    "parties.add_member": _lazy("Registered where you work"),
    "parties.end_membership": _lazy("Registered that you no longer work there"),
    "access.create_user": _lazy("Made your account"),
    "access.deactivate": _lazy("Closed your account"),
    "access.purge_user": _lazy("Deleted your account"),
    "access.end_sessions": _lazy("Signed you out everywhere"),
    "access.preferences": _lazy("Changed settings"),
    "access.sign_in": _lazy("Signed in"),
    "access.sign_out": _lazy("Signed out"),
    "access.sign_in_failed": _lazy("Tried to sign in"),
    "access.credential": _lazy("Changed a password or passkey"),
    "doors.assign": _lazy("Gave you the right to pass doors"),
    "doors.unassign": _lazy("Took a right to pass doors away"),
    "doors.issue": _lazy("Gave you a card, code or key"),
    "doors.issue_pass": _lazy("Made a pass for your visitor"),
    "doors.enrol_phone": _lazy("Made your phone a key"),
    "doors.active": _lazy("Let a card, code or key of yours work again"),
    "doors.suspended": _lazy("Stopped a card, code or key of yours for now"),
    "doors.lost": _lazy("Noted that a card, code or key of yours is lost"),
    "doors.revoked": _lazy("Withdrew a card, code or key of yours"),
    "doors.end_person": _lazy("Ended everything that opened doors for you"),
    "doors.forgive": _lazy("Forgave a passage that did not fit"),
    "booking.held": _lazy("Held a slot for you"),
    "booking.promoted": _lazy("Held a slot for you from the waiting list"),
    "booking.confirmed": _lazy("Confirmed your booking"),
    "booking.moved": _lazy("Moved your booking"),
    "booking.cancelled": _lazy("Cancelled your booking"),
    "booking.completed": _lazy("Noted that you kept a booking"),
    "booking.no_show": _lazy("Noted that you did not come"),
    "booking.wait": _lazy("Put you on a waiting list"),
    "booking.leave_queue": _lazy("Took you off a waiting list"),
    "privacy.look": _lazy("Looked at your data"),
    "privacy.ask": _lazy("Asked about your data"),
    "privacy.cancel_request": _lazy("Took a request back"),
    "privacy.answer": _lazy("Answered a request"),
    "privacy.delegate": _lazy("Let somebody act for you"),
    "privacy.withdraw_delegation": _lazy("Ended that somebody acts for you"),
    "privacy.hand_over": _lazy("Handed to an authority what a law keeps of you"),
    "privacy.ask_export": _lazy("Asked for a copy"),
    "privacy.fetch_export": _lazy("Fetched a copy"),
}


def name(action: str) -> str:
    """An audited act in the reader's words."""
    known = registry.act_names().get(action)
    if known is not None:
        return known.name_en if (get_language() or "").startswith("en") else known.name
    if action in KERNEL:
        return str(KERNEL[action])
    return _("Something else (%(action)s)") % {"action": action}
