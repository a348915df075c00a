from shoufu.kernel.cases.raising import RaisedCase, raise_cases
from shoufu.kernel.cases.services.bulk import acknowledge_many, false_alarm_many
from shoufu.kernel.cases.services.escalation import escalate_overdue
from shoufu.kernel.cases.services.feedback import give_feedback
from shoufu.kernel.cases.services.notes import attach, note
from shoufu.kernel.cases.services.reporting import CaseReport, report
from shoufu.kernel.cases.services.steps import acknowledge, close, dispatch, false_alarm, merge, reopen, resolve

__all__ = [
    "CaseReport",
    "RaisedCase",
    "acknowledge",
    "acknowledge_many",
    "attach",
    "close",
    "dispatch",
    "escalate_overdue",
    "false_alarm",
    "false_alarm_many",
    "give_feedback",
    "merge",
    "note",
    "raise_cases",
    "reopen",
    "report",
    "resolve",
]
