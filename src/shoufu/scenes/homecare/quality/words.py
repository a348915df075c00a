"""Codes of this part in the reader's language."""

from django.utils.translation import gettext_lazy as _

STEPS = {
    "received": _("Handed in"),
    "acknowledged": _("Taken up"),
    "answered": _("Answered"),
    "added": _("The patient added"),
    "escalated": _("Came to the regulator"),
    "ruled": _("The regulator's answer"),
    "accepted": _("Accepted by the patient"),
    "withdrawn": _("Taken back"),
    "closed": _("Closed out"),
    "reported": _("Reported"),
    "followed": _("Followed up"),
    "regraded": _("Grade changed"),
    "proposed": _("Proposed"),
    "entered": _("Entered"),
    "rejected": _("Not entered"),
    "lifted": _("Lifted"),
    "expired": _("Expired"),
    "paused": _("Paused during the appeal"),
    "resumed": _("In force again"),
    "appealed": _("Appealed"),
    "granted": _("Appeal granted"),
    "refused": _("Appeal not granted"),
    "made": _("Sanction made"),
}
ENDS = {
    "nobody_home": _("Nobody at home"),
    "refused": _("Refused at the door"),
    "not_the_patient": _("Not the patient"),
    "not_fit": _("Not fit that day"),
    "unsafe": _("Unsafe there"),
    "nobody_came": _("Nobody came"),
    "other": _("Something else"),
    "patient": _("By the patient"),
    "office": _("By the institution"),
    "died": _("The patient died"),
    "moved_out": _("The patient moved away"),
    "": _("Without a cause"),
}


def step_word(kind: str) -> str:
    """A line of a trail by its code."""
    return str(STEPS.get(kind, kind))


def end_word(cause: str) -> str:
    """Why a visit did not take place, by its code."""
    return str(ENDS.get(cause, cause))
