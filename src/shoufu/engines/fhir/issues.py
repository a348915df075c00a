"""What is wrong with a resource, and as the OperationOutcome that a FHIR server answers with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How grave (http://hl7.org/fhir/R4/valueset-issue-severity.html); an error or worse makes a resource invalid."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: where (``Observation.component[0].valueQuantity``), what, and its code in FHIR's issue types."""

    expression: str
    message: str
    code: str = "invalid"
    severity: Severity = Severity.ERROR

    @property
    def grave(self) -> bool:
        """Whether it makes the resource invalid."""
        return self.severity in (Severity.FATAL, Severity.ERROR)

    def to_json(self) -> dict[str, str]:
        """The three things that people and programs look at."""
        return {"severity": self.severity.value, "expression": self.expression, "message": self.message}


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """An R4 OperationOutcome of the issues; one that says all is well where there are none."""
    rows = [_row(issue) for issue in issues]
    well = {"severity": "information", "code": "informational", "diagnostics": "No issues detected"}
    return {"resourceType": "OperationOutcome", "issue": rows or [well]}


def _row(issue: Issue) -> dict[str, Any]:
    row: dict[str, Any] = {
        "severity": issue.severity.value,
        "code": issue.code,
        "details": {"text": issue.message},
        "diagnostics": issue.message,
    }
    if issue.expression:
        row["expression"] = [issue.expression]
    return row
