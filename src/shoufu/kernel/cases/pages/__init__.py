"""The pages of cases: the list, the panel on the desk and on its own page, and the steps that are taken there."""

from shoufu.kernel.cases.pages.acts import act
from shoufu.kernel.cases.pages.listing import bulk, listing, report, waiting
from shoufu.kernel.cases.pages.panel import detail, panel, panel_context
from shoufu.kernel.cases.pages.words import kind_label, role_label, title_of

__all__ = [
    "act",
    "bulk",
    "detail",
    "kind_label",
    "listing",
    "panel",
    "panel_context",
    "report",
    "role_label",
    "title_of",
    "waiting",
]
