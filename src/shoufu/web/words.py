from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def for_islands() -> dict[str, str]:
    """The words that the islands write, in the reader's language."""
    return {
        "live": _("Live"),
        "liveVersion": pgettext("rule version", "Live"),
        "draft": _("Draft"),
        "then": _("As known then"),
        "now": _("Now"),
        "lookBack": _("Look back"),
        "backToNow": _("Back to now"),
        "play": _("Play"),
        "pause": _("Pause"),
        "lost": _("The live connection is lost; trying again."),
        "back": _("The live connection is back."),
        "failed": _("That did not work. Check the connection and try again."),
        "casesHere": _("{n} cases here"),
        "newCases": _("new cases waiting"),
        "observations": _("Observations"),
        "cases": _("Cases"),
        "timeLeft": _("%s left"),
        "overdueBy": _("Overdue by %s"),
        "picked": _("%s picked"),
        "undo": _("Undo"),
        "copied": _("Copied"),
        "pushOn": _("Notices now also reach this browser when the page is closed."),
        "pushDenied": _("The browser does not allow notices here. Allow them in its settings and try again."),
        "zone": _("Zone"),
        "line": _("Line"),
        "needThree": _("A zone needs at least three corners."),
        "needTwo": _("A line needs two ends."),
        "saved": _("Saved"),
        "empty": _("Nothing here yet"),
        "camera": _("Camera"),
        "online": _("Online"),
        "offline": _("Offline"),
        "open": _("Open"),
        "closed": _("Closed"),
    }
