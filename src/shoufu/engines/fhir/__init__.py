"""HL7 FHIR R4 (4.0.1) in JSON and XML: judge a resource, and the OperationOutcome that says why it is refused."""

from .at_hand import AtHand, at_hand
from .checking import Report, Resource, check, check_content, check_file, parse
from .definitions import DefinitionsMissing
from .issues import Issue, Severity, operation_outcome

__all__ = [
    "AtHand",
    "DefinitionsMissing",
    "Issue",
    "Report",
    "Resource",
    "Severity",
    "at_hand",
    "check",
    "check_content",
    "check_file",
    "operation_outcome",
    "parse",
]
