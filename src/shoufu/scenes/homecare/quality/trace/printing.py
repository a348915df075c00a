from django.utils.translation import gettext as _

from shoufu.kernel.base.pdf import Document
from shoufu.scenes.homecare.quality.trace.looking import Trace


def pdf(found: Trace) -> bytes:
    """The trace as PDF; its hash stands on every page."""
    made = Document(
        _("Trace of visit %(number)s") % {"number": found.visit.number},
        f"{found.visit.number} · SHA-256 {found.digest}",
    )
    document = found.document()
    made.table(
        ("", ""),
        [
            (_("Institution"), document["institution"]),
            (_("Looked at by"), found.by),
            (_("Looked at"), document["looked_at"]),
            (_("Reason"), found.reason),
            ("SHA-256", found.digest),
        ],
        (1, 3),
    )
    for one in document["sections"]:
        made.heading(one["title"])
        if one["facts"]:
            made.table(("", ""), [(fact["label"], fact["value"]) for fact in one["facts"]], (1, 3))
        if one["lines"]:
            rows = [(line["at"], line["what"], line["who"], line["words"]) for line in one["lines"]]
            made.table((_("When"), _("What"), _("Who"), _("Words")), rows, (2, 2, 2, 3))
    return made.render()
