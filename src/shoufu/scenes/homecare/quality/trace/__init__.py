"""Everything about one visit, from the question to the complaint, for who has to find out what happened.

Without a reason there are no personal data, only initials. The reason is in the audit log, where the patient and those
who came read it.
"""

from shoufu.scenes.homecare.quality.trace.looking import (
    LEAST_REASON,
    Trace,
    canonical,
    export,
    look,
    record_publication,
    verify,
    visible,
)
from shoufu.scenes.homecare.quality.trace.printing import pdf
from shoufu.scenes.homecare.quality.trace.section import Section

__all__ = [
    "LEAST_REASON",
    "Section",
    "Trace",
    "canonical",
    "export",
    "look",
    "pdf",
    "record_publication",
    "verify",
    "visible",
]
