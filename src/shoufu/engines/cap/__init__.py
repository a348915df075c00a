"""CAP 1.2 (OASIS Common Alerting Protocol): alerts as dataclasses, their XML, and what is wrong with one."""

from .alert import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MessageType,
    Reference,
    Resource,
    Response,
    Scope,
    Severity,
    Status,
    Urgency,
)
from .check import faults
from .reading import CapError, from_xml
from .writing import time_text, to_json, to_xml

__all__ = [
    "Alert",
    "Area",
    "CapError",
    "Category",
    "Certainty",
    "Circle",
    "Info",
    "MessageType",
    "Reference",
    "Resource",
    "Response",
    "Scope",
    "Severity",
    "Status",
    "Urgency",
    "faults",
    "from_xml",
    "time_text",
    "to_json",
    "to_xml",
]
