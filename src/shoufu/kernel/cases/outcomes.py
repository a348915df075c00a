"""Whether a case was one: what its end and the feedback on it say."""

from datetime import datetime

from shoufu.kernel.cases.models import Case, Feedback

TRUE, FALSE_ALARM, OPEN = "true", "false_alarm", "open"
RELATED = ("feedback", "merged_into__feedback")
"""What `verdict` reads beside the case, for `select_related`."""


def verdict(case: Case) -> str:
    """TRUE, FALSE_ALARM, or OPEN while nobody has said. A merged case ended as the one that it was merged into."""
    judged = case.merged_into if case.state == Case.State.MERGED and case.merged_into else case
    feedback = getattr(judged, "feedback", None)
    if judged.state == Case.State.FALSE_ALARM or (feedback and feedback.verdict == Feedback.Verdict.FALSE_ALARM):
        return FALSE_ALARM
    if judged.state in (Case.State.RESOLVED, Case.State.CLOSED) or feedback:
        return TRUE
    return OPEN


def judged_at(case: Case) -> datetime | None:
    """When the last word on the case was said; None while nobody has."""
    if verdict(case) == OPEN:
        return None
    judged = case.merged_into if case.state == Case.State.MERGED and case.merged_into else case
    feedback = getattr(judged, "feedback", None)
    said = [judged.resolved_at, judged.closed_at, feedback.at if feedback else None]
    return max((moment for moment in said if moment), default=None)
